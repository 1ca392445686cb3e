//! `/openapi.json`: what the vault does, for programs that read OpenAPI 3.1.
//!
//! A route comes with what is said of it ([`Routes::at`]), so that none can be without: each resource's `routes` has
//! both, beside its handlers. Names, limits, codes and ids are those that decide elsewhere. The tests in this
//! process hold every answer that they get, and every request that was fulfilled, against the document.

mod document;
mod objects;
mod operation;
pub(super) mod schema;

use axum::Router;
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::routing::{self, MethodRouter};
use serde_json::{Map, Value, json};

pub(super) use objects::Object;
pub(super) use operation::{Body, Header, Key, Operation};

use document::Document;

/// Routes with what is said of them.
#[derive(Debug)]
pub(super) struct Routes<S> {
    router: Router<S>,
    /// Paths of the document.
    paths: Map<String, Value>,
    /// The refusals that they refer to.
    refusals: Map<String, Value>,
    /// What the routes are about: name and description.
    tags: Vec<(&'static str, &'static str)>,
}

/// A method of a path.
#[derive(Debug)]
pub(super) struct Method<S> {
    name: &'static str,
    router: MethodRouter<S>,
    operation: Operation,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// No routes yet, about one thing.
    pub(super) fn about(name: &'static str, description: &'static str) -> Self {
        Self {
            router: Router::new(),
            paths: Map::new(),
            refusals: Map::new(),
            tags: vec![(name, description)],
        }
    }

    /// A path with its methods.
    pub(super) fn at<const N: usize>(mut self, path: &str, methods: [Method<S>; N]) -> Self {
        let tag = self.tags.first().map_or("", |(name, _)| *name);
        let mut described = Map::new();
        let mut routed = MethodRouter::new();
        for Method { name, router, operation } in methods {
            described.insert(name.into(), operation.to_json(tag));
            self.refusals.extend(operation.refusals());
            routed = routed.merge(router);
        }
        // A part of several segments has a star in the router, and in OpenAPI there is none.
        self.paths.insert(path.replace("{*", "{"), described.into());
        self.router = self.router.route(path, routed);
        self
    }

    /// These and others.
    pub(super) fn and(mut self, others: Self) -> Self {
        let known = self.tags.clone();
        self.router = self.router.merge(others.router);
        self.paths.extend(others.paths);
        self.refusals.extend(others.refusals);
        self.tags.extend(others.tags.into_iter().filter(|tag| !known.contains(tag)));
        self
    }

    /// The same for a router of another state.
    pub(super) fn with_state<T>(self, state: S) -> Routes<T> {
        let Self { router, paths, refusals, tags } = self;
        Routes { router: router.with_state(state), paths, refusals, tags }
    }

    /// The routes, and one more with the document of them all.
    pub(super) fn documented(self) -> Router<S> {
        let path = "/openapi.json";
        let Self { router, mut paths, mut refusals, tags } = self;
        let operation = document::operation();
        paths.insert(path.into(), json!({ "get": operation.to_json(OPERATIONS.0) }));
        refusals.extend(operation.refusals());
        let document = Document::new(&paths, &refusals, &tags);
        router.route(path, routing::get(async move |headers: HeaderMap| document.answer(&headers)))
    }
}

/// What is for whoever runs or reads the vault.
pub(super) const OPERATIONS: (&str, &str) =
    ("Operations", "For those who run the vault, and programs that read about it.");

macro_rules! methods {
    ($($name:ident)*) => {
        $(pub(super) fn $name<H, T, S>(handler: H, operation: Operation) -> Method<S>
        where
            H: Handler<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            Method { name: stringify!($name), router: routing::$name(handler), operation }
        })*
    };
}

methods! { delete get patch post }
