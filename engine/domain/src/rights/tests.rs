//! Filled by the rooms of managers.
