use awkward::no_package::{Homeless, greeting};
use connect::{Context, Error, Response};

struct Handlers;

impl Homeless for Handlers {
    async fn greet(
        &self,
        _: &Context,
        _: greeting::Answer,
    ) -> Result<Response<greeting::Answer>, Error> {
        Err(Error::unimplemented(""))
    }
}

fn main() {}
