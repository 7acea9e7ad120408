package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"connectrpc.com/connect"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
	"github.com/coral-mesh/coral-discovery/tests/go/internal/load"
)

const (
	// firstRegistrations is the number of new colonies in one measurement of their registration.
	firstRegistrations = 2_000
	// turns is the number of turns in which floor and Worker alternate within one measurement.
	turns = 4
)

// Names of the clients.
const (
	connectGo = "connect-go"
	fasthttp  = "fasthttp"
)

// variant is one way to make the calls of a phase.
type variant struct {
	Phase   string `json:"phase"`
	Server  role   `json:"server"`
	Codec   string `json:"codec"`
	Keys    string `json:"keys"`
	Clients int    `json:"clients"`
	Client  string `json:"client"`
	phase   phase
}

// sample is one measurement.
type sample struct {
	PerSecond float64 `json:"calls_per_second"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
	CPU       float64 `json:"server_cpu_us_per_call"`
	RSS       float64 `json:"rss_mib"`
	Errors    int     `json:"errors"`
}

// row is the result of a variant: the medians of its samples.
type row struct {
	variant
	sample
	// Ratio is the median of the ratios of CPU to the floor's CPU in the same round; 0 for floors.
	Ratio float64 `json:"ratio_to_floor"`
	// ToBefore is that of the ratios to the CPU of the build before; 0 where it was not measured.
	ToBefore float64 `json:"ratio_to_before,omitempty"`
	Floor    role    `json:"floor,omitempty"`
}

// variants returns all variants of phases whose names match: each phase in both codecs, and lookups
// with other keys, numbers of clients and clients.
func variants(only *regexp.Regexp) []variant {
	var all []variant
	add := func(phase phase, server role, codec, keys string, clients int) {
		all = append(all, variant{phase.name, server, codec, keys, clients, connectGo, phase})
	}
	for _, phase := range phases {
		if !only.MatchString(phase.name) {
			continue
		}
		for _, codec := range []string{"json", "proto"} {
			if phase.call != nil {
				add(phase, phase.server, codec, "uniform", 64)
			}
			if phase.call != nil && phase.server == uncached {
				add(phase, shards, codec, "uniform", 64)
			}
			if phase.name == "lookup, uncached" || phase.name == "lookup, hot" {
				add(phase, phase.server, codec, "zipf", 64)
				add(phase, phase.server, codec, "uniform", 1)
				add(phase, phase.server, codec, "uniform", 256)
			}
			if phase.fastCall != nil {
				all = append(all,
					variant{phase.name, phase.server, codec, "uniform", 64, fasthttp, phase})
			}
		}
	}
	return all
}

// bench measures all variants, round by round, each beside its floor.
type bench struct {
	servers   map[role]*harness.Worker
	hasBefore bool
	duration  time.Duration
	samples   map[variantKey][]sample
	toFloor   map[variantKey][]float64
	toBefore  map[variantKey][]float64
}

// variantKey identifies a variant.
type variantKey struct {
	phase, codec, keys, client string
	server                     role
	clients                    int
}

func (v variant) key() variantKey {
	return variantKey{v.Phase, v.Codec, v.Keys, v.Client, v.Server, v.Clients}
}

func (b *bench) client(role role, codec string, connections int) load.Client {
	var options []connect.ClientOption
	if codec == "json" {
		options = append(options, connect.WithProtoJSON())
	}
	return load.NewClient(b.servers[role].URL, connections, options...)
}

// round measures every variant once, beside its floor.
func (b *bench) round(round int, all []variant) {
	for i, v := range all {
		fmt.Fprintf(os.Stderr, "\rround %d: %d of %d: %-80s", round+1, i+1, len(all),
			fmt.Sprintf("%s, %s, %s, %s keys, %d x %s",
				v.Phase, v.Server, v.Codec, v.Keys, v.Clients, v.Client))
		compared := b.compared(v)
		samples := b.measure(v, compared, round)
		for i, each := range compared {
			key := each.key()
			b.samples[key] = append(b.samples[key], samples[i])
			b.toFloor[key] = append(b.toFloor[key], samples[i].CPU/samples[0].CPU)
		}
		if b.hasBefore {
			b.toBefore[v.key()] = append(b.toBefore[v.key()], samples[2].CPU/samples[1].CPU)
		}
	}
	fmt.Fprintf(os.Stderr, "\r%-120s\r", "")
}

// compared returns the variant on each server that takes turns: the floor, the build before if it
// is measured, and the Worker.
func (b *bench) compared(v variant) []variant {
	roles := []role{v.phase.floor, v.Server}
	if b.hasBefore {
		roles = []role{v.phase.floor, v.Server.before(), v.Server}
	}
	var variants []variant
	for _, role := range roles {
		each := v
		each.Server = role
		variants = append(variants, each)
	}
	return variants
}

// measure measures a variant on all compared servers. They alternate, so that other work of the
// machine affects all.
func (b *bench) measure(v variant, compared []variant, round int) []sample {
	var sides []*side
	for _, each := range compared {
		sides = append(sides, b.side(v, each.Server, round))
	}
	for _, s := range sides {
		b.warmUp(v, s)
	}
	for turn := range turns {
		for _, s := range sides {
			s.takeTurn(v, b.duration/turns, turn)
		}
	}
	if v.phase.isFirst {
		// The alarms that a first registration sets are part of its cost.
		for _, s := range sides {
			s.measureUsage(s.worker.WaitUntilIdle)
		}
	}
	var samples []sample
	for _, s := range sides {
		samples = append(samples, s.sample(v))
	}
	return samples
}

// warmUp makes calls that are not measured. After an idle time objects have been closed, keys are
// no longer hot, and code may have to be compiled again.
func (b *bench) warmUp(v variant, s *side) {
	if v.phase.isFirst {
		load.Calls(v.Clients, firstRegistrations/8, s.call("warm"))
		return
	}
	// About two calls for each key.
	load.Calls(v.Clients, 2*s.keys, s.call("warm"))
	load.For(v.Clients, b.duration/4, s.call("warm"))
}

// side is one of the servers of a measurement.
type side struct {
	worker *harness.Worker
	keys   int
	// call returns the calls of one turn.
	call   func(turn string) load.Call
	result load.Result
	cpu    time.Duration
	rss    uint64
}

func (b *bench) side(v variant, role role, round int) *side {
	count := keys
	if v.Server == hot {
		count = hotKeys
	}
	pick := load.Uniform(count)
	if v.Keys == "zipf" {
		pick = load.Zipf(count)
	}
	clients := clients{
		Client: b.client(role, v.Codec, v.Clients),
		fast:   load.NewFastClient(b.servers[role].URL, v.Clients, v.Codec),
	}
	newCall := v.phase.call
	if v.Client == fasthttp {
		newCall = v.phase.fastCall
	}
	return &side{worker: b.servers[role], keys: count, call: func(turn string) load.Call {
		return newCall(clients, target{
			isFloor: role.isFloor(),
			round:   fmt.Sprintf("%d-%s-%s-%s", round, v.Codec, v.Server, turn),
			pick:    pick,
		})
	}}
}

func (s *side) takeTurn(v variant, duration time.Duration, turn int) {
	call := s.call(fmt.Sprint(turn))
	s.measureUsage(func() {
		if v.phase.isFirst {
			s.result = s.result.Then(load.Calls(v.Clients, firstRegistrations/turns, call))
		} else {
			s.result = s.result.Then(load.For(v.Clients, duration, call))
		}
	})
}

// measureUsage adds the server's processor time during the load.
func (s *side) measureUsage(makeLoad func()) {
	before := s.worker.Usage()
	makeLoad()
	after := s.worker.Usage()
	s.cpu += after.CPU - before.CPU
	s.rss = after.RSS
}

func (s *side) sample(v variant) sample {
	result := s.result
	if result.FirstError != nil {
		fmt.Fprintf(os.Stderr, "\n%s, %s: %v\n", v.Phase, v.Codec, result.FirstError)
	}
	return sample{
		PerSecond: result.PerSecond(),
		P50:       result.Percentile(50),
		P95:       result.Percentile(95),
		P99:       result.Percentile(99),
		Max:       result.Max(),
		CPU:       float64(s.cpu.Microseconds()) / float64(result.Calls),
		RSS:       load.MiB(s.rss),
		Errors:    result.Errors,
	}
}

// rows returns the medians of all variants. Each floor comes once, before the first variant that is
// compared with it.
func (b *bench) rows(all []variant) []row {
	var rows []row
	for _, v := range all {
		for _, each := range b.compared(v) {
			key := each.key()
			if slices.ContainsFunc(rows, func(r row) bool { return r.key() == key }) {
				continue
			}
			result := row{variant: each, sample: medians(b.samples[key])}
			if !each.Server.isFloor() {
				result.Ratio, result.Floor = median(b.toFloor[key]), v.phase.floor
			}
			if ratios := b.toBefore[key]; ratios != nil {
				result.ToBefore = median(ratios)
			}
			rows = append(rows, result)
		}
	}
	return rows
}

// medians returns the median of each field, and the sum of errors.
func medians(samples []sample) sample {
	medianOf := func(field func(sample) float64) float64 {
		var values []float64
		for _, each := range samples {
			values = append(values, field(each))
		}
		return median(values)
	}
	var result sample
	for _, each := range samples {
		result.Errors += each.Errors
	}
	result.PerSecond = medianOf(func(s sample) float64 { return s.PerSecond })
	result.P50 = medianOf(func(s sample) float64 { return s.P50 })
	result.P95 = medianOf(func(s sample) float64 { return s.P95 })
	result.P99 = medianOf(func(s sample) float64 { return s.P99 })
	result.Max = medianOf(func(s sample) float64 { return s.Max })
	result.CPU = medianOf(func(s sample) float64 { return s.CPU })
	result.RSS = medianOf(func(s sample) float64 { return s.RSS })
	return result
}

func median[N cmp.Ordered](values []N) N {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
