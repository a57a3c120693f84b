//! The tests of this package are the other files in this folder. The code that they share is the package `poolgate-tests`, in `src`.
#[cfg(doctest)]
mod pages;
