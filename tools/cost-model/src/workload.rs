//! The workload: the clients of a deployment and their calls.

use anyhow::{Result, ensure};
use clap::Args;

/// Clients of a deployment, their calls, and the costs of a call that depend on the deployment.
#[derive(Args, Clone, Copy, Debug, PartialEq)]
pub struct Workload {
    /// Number of colonies
    #[arg(long, default_value_t = Workload::RFD_046.colonies, value_parser = at_least_0)]
    pub colonies: f64,
    /// Number of agents
    #[arg(long, default_value_t = Workload::RFD_046.agents, value_parser = at_least_0)]
    pub agents: f64,
    /// Seconds between two heartbeats of a colony: each is a Health and a RegisterColony
    #[arg(long, default_value_t = Workload::RFD_046.heartbeat, value_parser = above_0)]
    pub heartbeat: f64,
    /// Seconds until a lease expires: DEFAULT_TTL_SECONDS
    #[arg(long, default_value_t = Workload::RFD_046.ttl, value_parser = above_0)]
    pub ttl: f64,
    /// Seconds that a poll of a mailbox waits; 0 if colonies do not poll
    #[arg(long, default_value_t = Workload::RFD_046.poll, value_parser = at_least_0)]
    pub poll: f64,
    /// Starts of an agent in a month: each is a LookupColony, a RegisterAgent and a LookupAgent
    #[arg(long, default_value_t = Workload::RFD_046.starts, value_parser = at_least_0)]
    pub starts: f64,
    /// First starts of an agent in a month: each requests a bootstrap token and publishes a
    /// rendezvous record
    #[arg(long, default_value_t = Workload::RFD_046.bootstraps, value_parser = at_least_0)]
    pub bootstraps: f64,
    /// LookupColony calls in a month besides those of agents that start
    #[arg(long, default_value_t = Workload::RFD_046.lookups, value_parser = at_least_0)]
    pub lookups: f64,
    /// Fraction of LookupColony calls served by the memory cache, 0 to 1
    #[arg(long, default_value_t = Workload::RFD_046.memory, value_parser = fraction)]
    pub memory: f64,
    /// Fraction of LookupColony calls served by the KV cache, 0 to 1
    #[arg(long, default_value_t = Workload::RFD_046.kv, value_parser = fraction)]
    pub kv: f64,
    /// CPU time of a call in the Worker, in milliseconds
    #[arg(long, default_value_t = Workload::RFD_046.cpu_ms, value_parser = at_least_0)]
    pub cpu_ms: f64,
    /// Duration of a request in an object, in milliseconds
    #[arg(long, default_value_t = Workload::RFD_046.object_ms, value_parser = at_least_0)]
    pub object_ms: f64,
    /// Number of isolates that serve at a time: each reads the colony count twice a minute
    #[arg(long, default_value_t = Workload::RFD_046.isolates, value_parser = at_least_0)]
    pub isolates: f64,
    /// Fraction of calls that are logged, 0 to 1; LOG_LEVEL=warn logs none
    #[arg(long, default_value_t = Workload::RFD_046.logged, value_parser = fraction)]
    pub logged: f64,
}

impl Workload {
    /// Workload that RFD 046 estimates, with the polls that clients have made since.
    pub const RFD_046: Self = Self {
        colonies: 1_000.0,
        agents: 10_000.0,
        heartbeat: 60.0,
        ttl: 300.0,
        poll: 25.0,
        starts: 30.0,
        bootstraps: 0.0,
        lookups: 0.0,
        memory: 0.0,
        kv: 0.0,
        cpu_ms: 1.0,
        object_ms: 10.0,
        isolates: 20.0,
        logged: 0.0,
    };

    /// Workload of RFD 046 with other numbers of colonies and agents.
    #[must_use]
    pub const fn with_clients(colonies: f64, agents: f64) -> Self {
        Self {
            colonies,
            agents,
            ..Self::RFD_046
        }
    }

    /// Checks the values that depend on each other.
    ///
    /// # Errors
    /// Fails when the two caches together serve more than all lookups.
    pub fn validate(&self) -> Result<()> {
        ensure!(
            self.memory + self.kv <= 1.0,
            "--memory and --kv are fractions of the same lookups: their sum must be at most 1"
        );
        Ok(())
    }
}

fn number(text: &str, is_valid: impl Fn(f64) -> bool, range: &str) -> Result<f64, String> {
    let number: f64 = text
        .parse()
        .map_err(|_| format!("must be a number {range}"))?;
    if is_valid(number) && number.is_finite() {
        Ok(number)
    } else {
        Err(format!("must be {range}"))
    }
}

fn at_least_0(text: &str) -> Result<f64, String> {
    number(text, |number| number >= 0.0, "of at least 0")
}

fn above_0(text: &str) -> Result<f64, String> {
    number(text, |number| number > 0.0, "above 0")
}

fn fraction(text: &str) -> Result<f64, String> {
    number(
        text,
        |number| (0.0..=1.0).contains(&number),
        "between 0 and 1",
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        workload: Workload,
    }

    #[test]
    fn omitted_arguments_default_to_the_workload_of_rfd_046() {
        let workload = Arguments::parse_from(["cost"]).workload;
        assert_eq!(workload, Workload::RFD_046);
    }

    #[test]
    fn numbers_out_of_range_are_rejected() {
        for argument in ["--heartbeat=0", "--kv=2", "--colonies=-1", "--agents=x"] {
            let parsed = Arguments::try_parse_from(["cost", argument]);
            assert!(parsed.is_err(), "{argument}");
        }
    }

    #[test]
    fn caches_cannot_serve_more_than_all_lookups() {
        let workload = Workload {
            memory: 0.6,
            kv: 0.6,
            ..Workload::RFD_046
        };
        assert!(workload.validate().is_err());
    }
}
