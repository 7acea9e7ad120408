use awkward::no_package::{Greeting, Homeless, greeting};
use connect::{Context, Error, Response};

struct Handlers;

impl Homeless for Handlers {
    async fn greet(
        &self,
        _: &Context,
        request: Greeting,
    ) -> Result<Response<greeting::Answer>, Error> {
        Ok(greeting::Answer { to: Some(request) }.into())
    }
}

fn main() {}
