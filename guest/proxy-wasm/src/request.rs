//! A request, from its head to a decision.

#[cfg(feature = "test-doors")]
use crate::test_doors;
use crate::{filter::Shared, head::Head, outcome, waiting::HeldRequest};
use poolgate_edge::Decision;
use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext},
    types::Action,
};
use std::rc::Rc;

pub struct Request {
    context_id: u32,
    filter: Shared,
    /// While it waits. It goes with the stream, and then nobody wakes it.
    held: Option<Rc<HeldRequest>>,
}

impl Request {
    pub fn new(context_id: u32, filter: Shared) -> Self {
        Self { context_id, filter, held: None }
    }
}

impl Context for Request {}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let mut shared = self.filter.borrow_mut();
        let Some(filter) = shared.as_mut() else {
            return fail();
        };
        let (Ok(head), Ok(now)) = (Head::read(), crate::filter::now()) else {
            return fail();
        };
        #[cfg(feature = "test-doors")]
        let now = test_doors::open(&head, now);
        match filter.gate.admit(now.as_secs(), &head) {
            Decision::Admit(admitted) => outcome::admit(filter, &head, &admitted),
            Decision::Refuse(refusal) => outcome::refuse(filter, &head, refusal),
            Decision::Wait(held) => {
                let held = Rc::new(HeldRequest { head, held });
                if !filter.hold(self.context_id, now, &held) {
                    let refusal = poolgate_edge::Refusal::Token(poolgate_core::Reason::Overloaded);
                    return outcome::refuse(filter, &held.head, refusal);
                }
                self.held = Some(held);
                Action::Pause
            }
        }
    }
}

/// What can't be judged does not pass.
fn fail() -> Action {
    let _ = hostcalls::send_http_response(503, vec![("cache-control", "no-store"), ("retry-after", "1")], None);
    Action::Pause
}
