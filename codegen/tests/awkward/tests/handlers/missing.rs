use awkward::no_package::Homeless;

struct Handlers;

impl Homeless for Handlers {
}

fn main() {}
