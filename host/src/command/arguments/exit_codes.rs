//! The exit codes of the commands that verify.

pub const EXIT_CODES: &str = "\
Exit codes:
  0  allowed
  1  denied
  2  invalid usage or configuration
  3  keys unavailable: the token was not verified (with --batch also: the input is empty, or the output was closed
     before the end)";
