"""The demo clinic: its people, the lives of eight plans as data, and a loader that replays them."""
