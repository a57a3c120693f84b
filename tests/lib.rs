//! The tests of this package are the files beside this one; what they share is the package `poolgate-tests`, in `src`.
#[cfg(doctest)]
mod pages;
