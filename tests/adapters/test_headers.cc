// A precompiled header needs one file that is compiled with it: see
// CMakeLists.txt.
