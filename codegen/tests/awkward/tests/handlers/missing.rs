use awkward::no_package::GreetingService;

struct Handlers;

impl GreetingService for Handlers {
}

fn main() {}
