//! Encodes a configuration as a component that is plugged into the `wasi:http` middleware.

use wasm_encoder::{
    CodeSection, ConstExpr, DataSection, ExportKind, ExportSection, Function, FunctionSection, MemorySection,
    MemoryType, Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The interface that the component exports. It must be the same as in `wit/edge/middleware.wit`.
const WORLD: &str = "
    package poolgate:edge@0.1.0;
    interface configuration { json: func() -> string; }
    world configured { export configuration; }
";

/// The memory addresses of the result (the string's address and length) and of the string itself.
const RESULT: i32 = 0;
const TEXT: u32 = 8;
const PAGE: u64 = 1 << 16;

/// Returns a component that exports `poolgate:edge/configuration`, whose function `json` returns this text.
///
/// # Errors
/// If the text is 4 GiB or longer.
pub fn of(configuration: &str) -> Result<Vec<u8>, String> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("configuration.wit", WORLD).map_err(|error| error.to_string())?;
    let world = resolve.select_world(&[package], Some("configured")).map_err(|error| error.to_string())?;
    let mut module = module(configuration)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(|error| error.to_string())?;
    let encoder = ComponentEncoder::default();
    encoder
        .validate(true)
        .module(&module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))
}

/// Returns a core module with the text in its memory and a function that returns the text's position.
fn module(text: &str) -> Result<Vec<u8>, String> {
    let length = u32::try_from(text.len()).map_err(|_| "the configuration is too long")?;
    let mut module = Module::new();
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut memories = MemorySection::new();
    let minimum = (u64::from(TEXT) + u64::from(length)).div_ceil(PAGE);
    memories.memory(MemoryType {
        minimum,
        maximum: Some(minimum),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    exports.export("poolgate:edge/configuration@0.1.0#json", ExportKind::Func, 0);
    let mut function = Function::new([]);
    function.instructions().i32_const(RESULT).end();
    let mut code = CodeSection::new();
    code.function(&function);
    let mut data = DataSection::new();
    let result = [TEXT.to_le_bytes(), length.to_le_bytes()].concat();
    data.active(0, &ConstExpr::i32_const(RESULT), [result.as_slice(), text.as_bytes()].concat());
    module.section(&types).section(&functions).section(&memories).section(&exports).section(&code).section(&data);
    Ok(module.finish())
}
