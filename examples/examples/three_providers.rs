//! One prompt to three providers over HTTP, with what each answer costs. Runs without a key: the providers are the
//! simulated panel, served on loopback in their wire formats.
//!
//! To ask real ones, leave `with_base_url` out, and `Provider::new(config)` reads the key from the environment.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use specstress_llm::{ChatModel as _, ChatRequest};
use specstress_providers::{
    Catalog, ModelEntry, PriceTier, Provider, ProviderConfig, ProviderKind, SecretString,
    response_cost_usd,
};
use specstress_sim::{ServerOptions, SimOptions, SimServer, SimWorld};
use specstress_values::Taxonomy;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = SimWorld::new(&Taxonomy::builtin(), SimOptions::default())?;
    let server = SimServer::bind(world, ServerOptions::default())?;
    let address = server.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async move {
        let _ = stopped.await;
    }));

    let request =
        ChatRequest::user("My team prizes “candour” and I prize “tact”. What would you do?")
            .with_max_tokens(400);
    // The catalog knows real models; simulated ones take over the rules and prices of one of them.
    for (kind, model, like) in [
        (
            ProviderKind::Anthropic,
            "alder_grand",
            "anthropic/claude-opus-4-5",
        ),
        (
            ProviderKind::OpenAi,
            "birch_main",
            "openai/gpt-4.1-2025-04-14",
        ),
        (ProviderKind::Gemini, "cedar_pro", "gemini/gemini-2.5-pro"),
    ] {
        let mut catalog = Catalog::builtin();
        catalog.extend([ModelEntry {
            provider: kind.to_string(),
            name: model.to_owned(),
            like: Some(like.to_owned()),
            ..ModelEntry::default()
        }])?;
        let config = ProviderConfig::new(kind).with_base_url(format!("http://{address}/{kind}"));
        let key = SecretString::from("any".to_owned());
        let provider = Provider::with_key(config, Some(&key))?.with_catalog(catalog);
        let model = provider.model(model);
        let response = model.chat(&request).await?;
        let cost = response_cost_usd(model.info(), &response, PriceTier::default());
        println!(
            "{}: {} tokens, {}\n  {}\n",
            model.id(),
            response.usage.total(),
            cost.map_or_else(|| "cost unknown".to_owned(), |usd| format!("${usd:.6}")),
            response.text
        );
    }
    let _ = stop.send(());
    serving.await??;
    Ok(())
}
