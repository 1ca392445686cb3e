//! A machine with a vault on it, which can stop without dying, be killed, and be wrong about the time.
//!
//! All of it runs on one thread: while that thread is held, nothing of the vault moves, not even its time-outs, and its
//! connections stay open, as after SIGSTOP.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use cardseal_vault::Vault;
use cardseal_vault::audit::By;
use cardseal_vault::store::Purpose;
use cardseal_vault::vault::Setup;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime;
use tokio::sync::{Notify, mpsc, oneshot};
use tower::ServiceExt;

use crate::support::{UNLIMITED, limiter, parts};

pub(super) struct Machine {
    orders: mpsc::UnboundedSender<Order>,
    gate: Arc<Gate>,
    /// Seconds by which its clock is wrong.
    pub(super) offset: Arc<AtomicI64>,
}

/// What a machine answered a request with.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Value,
}

enum Order {
    Ask(Box<Request<Body>>, oneshot::Sender<Reply>),
    /// Stop at the gate until it is opened.
    Freeze,
    Kill,
    Rotate(Purpose),
    /// Do what is to be done from time to time, and tell when it is done.
    Tick(oneshot::Sender<()>),
}

#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
    killed: Notify,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum GateState {
    #[default]
    Open,
    Closed,
    /// Whoever waits there goes no further.
    Killed,
}

impl Gate {
    fn set(&self, state: GateState) {
        let mut now = self.state.lock().unwrap();
        // Nobody comes back to life.
        if *now != GateState::Killed {
            *now = state;
        }
        self.changed.notify_all();
        if state == GateState::Killed {
            self.killed.notify_one();
        }
    }

    /// Waits until it is not closed, and says what it is.
    fn pass(&self) -> GateState {
        let state = self.state.lock().unwrap();
        *self.changed.wait_while(state, |state| *state == GateState::Closed).unwrap()
    }
}

impl Machine {
    /// Starts a vault. `set_up` is told the machine's own offset.
    pub(super) async fn start(set_up: impl FnOnce(Arc<AtomicI64>) -> Setup) -> Self {
        let (orders, receiver) = mpsc::unbounded_channel();
        let (gate, offset) = (Arc::<Gate>::default(), Arc::<AtomicI64>::default());
        let setup = set_up(Arc::clone(&offset));
        let (ready, is_ready) = oneshot::channel();
        thread::spawn({
            let gate = Arc::clone(&gate);
            move || run(setup, receiver, &gate, ready)
        });
        // It may be killed before.
        let _ = is_ready.await;
        Self { orders, gate, offset }
    }

    /// Asks. No answer comes when the machine is killed meanwhile; one that was frozen may still give one.
    pub(super) fn ask(&self, request: Request<Body>) -> oneshot::Receiver<Reply> {
        let (reply, answer) = oneshot::channel();
        self.order(Order::Ask(Box::new(request), reply));
        answer
    }

    pub(super) fn freeze(&self) {
        self.gate.set(GateState::Closed);
        self.order(Order::Freeze);
    }

    pub(super) fn thaw(&self) {
        self.gate.set(GateState::Open);
    }

    pub(super) fn rotate(&self, purpose: Purpose) {
        self.order(Order::Rotate(purpose));
    }

    pub(super) fn tick(&self) -> oneshot::Receiver<()> {
        let (done, is_done) = oneshot::channel();
        self.order(Order::Tick(done));
        is_done
    }

    /// Ends it on the spot.
    pub(super) fn kill(&self) {
        self.gate.set(GateState::Killed);
        self.order(Order::Kill);
    }

    fn order(&self, order: Order) {
        // Nobody is there once it was killed.
        let _ = self.orders.send(order);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(setup: Setup, orders: mpsc::UnboundedReceiver<Order>, gate: &Gate, ready: oneshot::Sender<()>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(serve(setup, orders, gate, ready));
    // Whatever is under way ends in its middle.
    runtime.shutdown_background();
}

async fn serve(
    setup: Setup,
    mut orders: mpsc::UnboundedReceiver<Order>,
    gate: &Gate,
    ready: oneshot::Sender<()>,
) {
    // The way to the database may be cut meanwhile.
    let open = async {
        loop {
            match Vault::open(setup.clone()).await {
                Ok(vault) => return vault,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let vault = tokio::select! {
        vault = open => vault,
        () = gate.killed.notified() => return,
    };
    let router = cardseal_vault::http::router(parts(&vault, None, limiter(&UNLIMITED, &Arc::default())));
    let _ = ready.send(());
    while let Some(order) = orders.recv().await {
        match order {
            Order::Ask(request, reply) => {
                let router = router.clone();
                tokio::spawn(async move {
                    // Whoever asked may have gone.
                    let _ = reply.send(answer(router, *request).await);
                });
            }
            Order::Freeze => {
                if gate.pass() == GateState::Killed {
                    return;
                }
            }
            Order::Kill => return,
            Order::Rotate(purpose) => {
                let vault = Arc::clone(&vault);
                tokio::spawn(async move {
                    let now = vault.clock().now();
                    // It may fail for what the schedule does meanwhile.
                    let _ = vault.rotate(purpose, By::VAULT, now).await;
                });
            }
            Order::Tick(done) => {
                tokio::spawn(tick(Arc::clone(&vault), done));
            }
        }
    }
}

async fn tick(vault: Arc<Vault>, done: oneshot::Sender<()>) {
    // Each may fail for what the schedule does meanwhile; it is tried again at the next tick.
    let _ = vault.maintain().await;
    let _ = vault.resolve_charges().await;
    let _ = vault.rekey().await;
    let _ = done.send(());
}

async fn answer(router: Router, request: Request<Body>) -> Reply {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    Reply { status, body: serde_json::from_slice(&body).unwrap_or(Value::Null) }
}
