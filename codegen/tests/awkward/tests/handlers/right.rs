use awkward::no_package::{Greeting, GreetingService, greeting};
use connect::{Context, Error, Response};

struct Handlers;

impl GreetingService for Handlers {
    async fn greet(
        &self,
        _: &Context,
        request: Greeting,
    ) -> Result<Response<greeting::Reply>, Error> {
        Ok(greeting::Reply { to: Some(request) }.into())
    }
}

fn main() {}
