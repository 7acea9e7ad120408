// Command loadtest puts load on the built Worker that it must bear: bursts, a hot key, many waiting
// polls, many leases, and attacks.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

// options of a run.
type options struct {
	hotDuration time.Duration
	plot        string
}

// serverCore is the core that servers run on. Clients run on the others.
const serverCore = "0"

// perLease is the routing on Cloudflare, and sharded the one of a self-hosted Worker.
const (
	perLease = "an object for each lease"
	sharded  = "64 objects"
)

// routings are the variables of the ways to distribute leases among objects.
var routings = map[string]string{perLease: "REGISTRY_SHARDS=0", sharded: "REGISTRY_SHARDS=64"}

// routingNames are the routings in the order of measurement.
var routingNames = []string{perLease, sharded}

// parts of the test.
var parts = []struct {
	name string
	run  func(*harness.Program, options, *load.Checks)
}{
	{"burst", burst},
	{"polls", polls},
	{"hot", hotKey},
	{"growth", growth},
	{"hostile", hostile},
}

func main() {
	var options options
	only := flag.String("only", "",
		"run only parts whose names match this expression: burst, polls, hot, growth, hostile")
	flag.DurationVar(&options.hotDuration, "hot", time.Minute,
		"duration of the lookups of one hot key")
	flag.StringVar(&options.plot, "plot", "",
		"draw the processor time of a call by the number of leases to this file (SVG)")
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		names, err := regexp.Compile(*only)
		if err != nil {
			program.Fatal(err)
		}
		checks := &load.Checks{}
		for _, part := range parts {
			if names.MatchString(part.name) {
				part.run(program, options, checks)
			}
		}
		fmt.Printf("%d of %d checks passed\n", checks.All-checks.Failed, checks.All)
		return min(checks.Failed, 1)
	})
}

func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "… "+format+"\n", arguments...)
}

// start runs the Worker on the servers' core, without log entries of requests.
func start(t harness.T, vars ...string) *harness.Worker {
	return harness.StartPinned(t, serverCore, append([]string{"LOG_LEVEL=error"}, vars...)...)
}

// firstError formats the first error of results, or returns "" if there is none.
func firstError(results ...load.Result) string {
	for _, result := range results {
		if result.FirstError != nil {
			return fmt.Sprintf("(%v)", result.FirstError)
		}
	}
	return ""
}
