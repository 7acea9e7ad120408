// Loadtest puts the built Worker under load that it must bear: bursts, a hot key, many leases, and clients
// that mean harm.
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
	hot  time.Duration
	plot string
}

// serverCore is the core that servers have for themselves.
const serverCore = "0"

// perLease is as on Cloudflare, and inFew as on a machine of one's own.
const (
	perLease = "an object for each lease"
	inFew    = "64 objects"
)

// routings are how leases are spread over objects.
var routings = map[string]string{perLease: "REGISTRY_SHARDS=0", inFew: "REGISTRY_SHARDS=64"}

// routingNames are in the order in which they are measured.
var routingNames = []string{perLease, inFew}

func main() {
	var told options
	only := flag.String("only", "", "only what this expression matches: burst, polls, hot, growth, hostile")
	flag.DurationVar(&told.hot, "hot", time.Minute, "for how long one key is looked up by all")
	flag.StringVar(&told.plot, "plot", "", "draw the cost of a call by the number of leases into this file (SVG)")
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		names, err := regexp.Compile(*only)
		if err != nil {
			program.Fatal(err)
		}
		found := &load.Findings{}
		for _, part := range []struct {
			name string
			run  func(*harness.Program, options, *load.Findings)
		}{{"burst", burst}, {"polls", polls}, {"hot", hotKey}, {"growth", growth}, {"hostile", hostile}} {
			if names.MatchString(part.name) {
				part.run(program, told, found)
			}
		}
		fmt.Printf("%d of %d as promised\n", found.All-found.Broken, found.All)
		return min(found.Broken, 1)
	})
}

func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "… "+format+"\n", arguments...)
}

// start runs a Worker on the server's core that logs no requests.
func start(t harness.T, vars ...string) *harness.Worker {
	return harness.StartPinned(t, serverCore, append([]string{"LOG_LEVEL=error"}, vars...)...)
}
