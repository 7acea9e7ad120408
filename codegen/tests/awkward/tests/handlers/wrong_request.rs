use awkward::no_package::{GreetingService, greeting};
use connect::{Context, Error, Response};

struct Handlers;

impl GreetingService for Handlers {
    async fn greet(
        &self,
        _: &Context,
        _: greeting::Reply,
    ) -> Result<Response<greeting::Reply>, Error> {
        Err(Error::unimplemented(""))
    }
}

fn main() {}
