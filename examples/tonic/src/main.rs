//! Runs the server. The user pool and the app client are read from environment variables.

use poolgate::{Pool, TokenUseRule, Verifier};
use std::{env, error::Error, process::ExitCode};
use tonic::transport::Server;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("example-tonic: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let pool = Pool::from_environment()?.token_use(TokenUseRule::Access);
    let verifier = Verifier::builder().pool(pool).build().await?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:50051".to_owned()).parse()?;
    println!("listening on {address}");
    Server::builder()
        .http2_max_header_list_size(example_tonic::HEADER_LIMIT)
        .layer(example_tonic::auth_layer(verifier))
        .add_routes(example_tonic::services())
        .serve(address)
        .await?;
    Ok(())
}
