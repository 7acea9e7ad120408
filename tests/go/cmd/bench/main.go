// Bench measures the built Worker beside the platform's floors, in one run: two small workers that answer
// constants, A without and B with an object. What it compares is processor time of the server for a call.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

func main() {
	var (
		url      = flag.String("url", "", "measure this deployment, from here alone")
		rounds   = flag.Int("rounds", 3, "how often all is measured; medians count")
		duration = flag.Duration("duration", 1500*time.Millisecond, "for how long each is measured")
		json     = flag.String("json", "", "write all figures to this file")
		only     = flag.String("only", "", "only phases whose names match this expression")
		plot     = flag.String("plot", "", "draw processor time and latency into this file (SVG)")
	)
	flag.Parse()
	harness.Run(func(program *harness.Program) int {
		if *url != "" {
			return remote(*url, *duration)
		}
		names, err := regexp.Compile(*only)
		if err != nil {
			program.Fatal(err)
		}
		found := run(program, names, *rounds, *duration)
		fmt.Println(found.table())
		for path, write := range map[string]func(string) error{*json: found.write, *plot: found.draw} {
			if path == "" {
				continue
			}
			if err := write(path); err != nil {
				program.Fatal(err)
			}
		}
		fmt.Println(found.verdict())
		return 0
	})
}

func run(t *harness.Program, only *regexp.Regexp, rounds int, duration time.Duration) *report {
	b := &bench{
		servers:  map[role]*harness.Worker{},
		duration: duration,
		samples:  map[variantKey][]sample{},
		ratios:   map[variantKey][]float64{},
	}
	found := &report{Rounds: rounds, StartA: startUp(t, floorA), Start: startUp(t, uncached)}
	var err error
	if found.BundleBytes, err = bundleBytes(); err != nil {
		t.Fatal(err)
	}
	for _, who := range []role{floorA, floorB, uncached, hot, shards} {
		b.servers[who] = start(t, who)
		result := prepare(b.client(who, "json", 16))
		isFloor := who == floorA || who == floorB
		if result.FirstError != nil && !isFloor {
			t.Fatalf("%s: %v", who, result.FirstError)
		}
	}
	all := variants(only)
	for number := range rounds {
		b.round(number, all)
	}
	found.Rows = b.rows(all)
	found.judge()
	return found
}

// remote is the client's half, against any deployment: there, limits on calls apply.
func remote(url string, duration time.Duration) int {
	errors := 0
	for _, codec := range []string{"json", "proto"} {
		for _, phase := range phases {
			if phase.call == nil {
				continue
			}
			result := remotePhase(url, codec, phase, duration)
			errors += result.Errors
			fmt.Printf("%-26s %-5s %7.0f calls/s  p50 %6.1f  p95 %6.1f  p99 %6.1f  max %7.1f ms  %d errors\n",
				phase.name, codec, result.PerSecond(), result.Quantile(50), result.Quantile(95),
				result.Quantile(99), result.Max(), result.Errors)
			if result.FirstError != nil {
				fmt.Fprintln(os.Stderr, "  ", result.FirstError)
			}
		}
	}
	fmt.Printf("%d errors\n", errors)
	return min(errors, 1)
}
