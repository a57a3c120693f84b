//! The header map of a request, as bytes in the format of the proxy.
//!
//! The SDK makes two allocations for each header, which costs as much as everything else for a cached token. This module therefore makes the
//! SDK's host call itself; it is the only unsafe code of the filter apart from the names of its exports. The format is that of "serialized
//! maps" in <https://github.com/proxy-wasm/spec>, version 0.2.1: the number of pairs; then the lengths of each name and value; then names and
//! values, each followed by a zero byte. Numbers are 32-bit little-endian.

use proxy_wasm::types::{MapType, Status};
use std::ops::Range;

/// Reads the request headers of the current stream.
#[expect(unsafe_code, reason = "the SDK has no such function")]
pub fn of_request() -> Result<Vec<u8>, Status> {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        safe fn proxy_get_header_map_pairs(map: MapType, data: &mut *mut u8, size: &mut usize) -> Status;
    }
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    match proxy_get_header_map_pairs(MapType::HttpRequestHeaders, &mut data, &mut size) {
        Status::Ok if data.is_null() => Ok(Vec::new()),
        // SAFETY: the proxy allocated `size` bytes with the SDK's `proxy_on_memory_allocate`, which makes a boxed slice and passes its
        // ownership to the caller of this function. The SDK's `hostcalls::get_map_bytes` takes the memory in the same way.
        Status::Ok => Ok(unsafe { Vec::from_raw_parts(data, size, size) }),
        status => Err(status),
    }
}

/// Returns the positions of each name and its value, in order.
pub fn entries(map: &[u8]) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let (count, lengths) = map.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let lengths = lengths.as_chunks::<8>().0.iter().take(number(*count));
    let mut next = 4_usize.saturating_add(number(*count).saturating_mul(8));
    let mut take = move |length: [u8; 4]| {
        let position = next..next.saturating_add(number(length));
        next = position.end.saturating_add(1);
        position
    };
    lengths.map(move |[a, b, c, d, e, f, g, h]| (take([*a, *b, *c, *d]), take([*e, *f, *g, *h])))
}

fn number(bytes: [u8; 4]) -> usize {
    u32::from_le_bytes(bytes) as usize
}
