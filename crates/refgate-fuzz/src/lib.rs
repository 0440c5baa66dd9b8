//! Holds no code. The fuzz targets are tests: see `tests/fuzz/main.rs`.
