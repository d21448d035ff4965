//! What the providers say about their models.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use specstress_sim::ServerOptions;

use super::client::{Call, Running, question};

const BEARER: (&str, &str) = ("authorization", "Bearer k");
const X_API: (&str, &str) = ("x-api-key", "k");
const GOOGLE: (&str, &str) = ("x-goog-api-key", "k");

#[test]
fn models_tell_their_last_day() {
    let retires = BTreeMap::from([
        ("alder_first".to_owned(), "9999-01-01".to_owned()),
        ("alder_early".to_owned(), "2020-01-01".to_owned()),
        ("birch_omni".to_owned(), "9999-06-30".to_owned()),
        ("birch_main".to_owned(), "2020-01-01".to_owned()),
    ]);
    let server = Running::start(ServerOptions {
        retires,
        ..ServerOptions::default()
    });
    let get = |path: &str, key| {
        let reply = server.ask(&Call::get(path, key));
        assert_eq!(reply.status, 200, "{path}");
        reply.json()
    };
    let model = get("/v1/models/alder_first", X_API);
    assert_eq!(model["lifecycle"], "deprecated");
    assert_eq!(model["retires_at"], "9999-01-01T00:00:00Z");
    let model = get("/v1/models/alder_grand", X_API);
    assert_eq!(
        (&model["lifecycle"], &model["retires_at"]),
        (&json!("active"), &Value::Null)
    );
    assert_eq!(get("/v1/models/alder_early", X_API)["lifecycle"], "retired");
    assert_eq!(
        get("/v1/models/birch_omni", BEARER)["shutdown_date"],
        "9999-06-30"
    );
    assert_eq!(
        get("/v1/models/birch_mini", BEARER)["shutdown_date"],
        Value::Null
    );
    assert_eq!(get("/v1/models/dune_max", BEARER)["id"], "dune_max");
    let model = get("/v1beta/models/cedar_pro", GOOGLE);
    assert_eq!(model["name"], "models/cedar_pro");
    // A retired model no longer answers.
    assert_eq!(server.ask(&question("openai", "What now?")).status, 404);
    assert_eq!(server.ask(&question("anthropic", "What now?")).status, 200);
    let stats = server.stop();
    assert_eq!((stats.lookups, stats.answered), (7, 1));
}

#[test]
fn unknown_models_are_404_and_lists_are_whole() {
    let server = Running::plain();
    for (path, key) in [
        ("/v1/models/alder_grand", BEARER),
        ("/v1/models/birch_main", X_API),
        ("/v1/models/claude-opus-5-5", X_API),
        ("/v1beta/models/birch_main", GOOGLE),
        ("/xai/v1/models/birch_main", BEARER),
        ("/xai/v1/models/embedder", BEARER),
    ] {
        assert_eq!(server.ask(&Call::get(path, key)).status, 404, "{path}");
    }
    assert_eq!(
        server
            .ask(&Call::get("/v1/models/birch_main", ("x", "k")))
            .status,
        401
    );
    let list = |path: &str, key, items: &str, id: &str| {
        let body = server.ask(&Call::get(path, key)).json();
        let items = body[items].as_array().unwrap();
        let names = items
            .iter()
            .map(|item| item[id].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let openai = list("/v1/models", BEARER, "data", "id");
    assert_eq!(openai.len(), 5 + 7 + 1);
    assert!(openai.contains(&"birch_main".to_owned()) && openai.contains(&"embedder".to_owned()));
    assert_eq!(list("/v1/models", X_API, "data", "id").len(), 5 + 7);
    assert_eq!(
        list("/v1beta/models", GOOGLE, "models", "name")[0],
        "models/cedar_pro"
    );
    assert_eq!(list("/xai/v1/models", BEARER, "data", "id")[0], "dune_max");
    server.stop();
}
