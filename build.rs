//! Tells the server where its site is: each profile has its own, because a release server over a debug site cannot
//! hydrate. The release server carries the site inside itself, so it is built anew when the site changes.
use std::{env, error::Error, fs, path::PathBuf};

/// # Errors
/// When cargo does not say where the package is, or the folder of the site cannot be made.
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let release = env::var("PROFILE")? == "release";
    // Who cuts the WASM of a release into its parts must know what refers to what. cargo-leptos asks the linker for
    // that through RUSTFLAGS, where cargo does not look as long as bin/lib.sh sets its own flags.
    if release && env::var("CARGO_CFG_TARGET_FAMILY")? == "wasm" {
        println!("cargo::rustc-link-arg-cdylib=--emit-relocs");
    }
    // The browser's half is what the site is made of: if it watched the site, every build would cause the next one.
    if env::var_os("CARGO_FEATURE_SSR").is_none() {
        return Ok(());
    }
    let profile = if release { "release" } else { "debug" };
    let site = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("target/site").join(profile);
    fs::create_dir_all(&site)?;
    println!("cargo::rustc-env=TERTULIA_SITE={}", site.display());
    if release {
        println!("cargo::rerun-if-changed={}", site.display());
    }
    Ok(())
}
