//! Runs the service. The user pool and the app client are read from environment variables.

use poolgate::{Pool, TokenUseRule, Verifier};
use std::{env, error::Error, process::ExitCode};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("example-axum: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let pool = Pool::from_environment()?.token_use(TokenUseRule::Access);
    let verifier = Verifier::builder().pool(pool).build().await?;
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, example_axum::app(verifier)).await?;
    Ok(())
}
