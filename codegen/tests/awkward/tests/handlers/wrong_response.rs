use awkward::no_package::{Greeting, GreetingService};
use connect::{Context, Error, Response};

struct Handlers;

impl GreetingService for Handlers {
    async fn greet(&self, _: &Context, request: Greeting) -> Result<Response<Greeting>, Error> {
        Ok(request.into())
    }
}

fn main() {}
