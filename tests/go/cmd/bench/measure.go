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
	// firsts is how many registrations of new colonies one measurement of them has.
	firsts = 2_000
	// turns is how often floor and Worker take turns within one measurement.
	turns = 4
)

// Who makes the calls.
const (
	connectGo = "connect-go"
	fasthttp  = "fasthttp"
)

// variant is one way of making the calls of a phase.
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

// row is what a variant came to: the medians of its rounds.
type row struct {
	variant
	sample
	// Ratio is the median of the rounds' ratios of CPU to that of the floor in the same round; 0 for floors.
	Ratio float64 `json:"ratio_to_floor"`
	Floor role    `json:"floor,omitempty"`
}

// variants are all that is measured: each phase in both codecs, and the lookups with other keys and clients.
// Only phases whose names match count.
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
			if phase.raw != nil {
				all = append(all, variant{phase.name, phase.server, codec, "uniform", 64, fasthttp, phase})
			}
		}
	}
	return all
}

// bench runs all variants, round by round, each beside its floor.
type bench struct {
	servers  map[role]*harness.Worker
	duration time.Duration
	samples  map[variantKey][]sample
	ratios   map[variantKey][]float64
}

// variantKey tells variants apart.
type variantKey struct {
	phase, codec, keys, client string
	server                     role
	clients                    int
}

func (v variant) key() variantKey {
	return variantKey{v.Phase, v.Codec, v.Keys, v.Client, v.Server, v.Clients}
}

func (b *bench) client(who role, codec string, calls int) load.Client {
	var options []connect.ClientOption
	if codec == "json" {
		options = append(options, connect.WithProtoJSON())
	}
	return load.NewClient(b.servers[who].URL, calls, options...)
}

// round measures every variant once, beside its floor.
func (b *bench) round(number int, all []variant) {
	for i, v := range all {
		fmt.Fprintf(os.Stderr, "\rround %d: %d of %d: %-80s", number+1, i+1, len(all),
			fmt.Sprintf("%s, %s, %s, %s keys, %d x %s", v.Phase, v.Server, v.Codec, v.Keys, v.Clients, v.Client))
		floorVariant := v
		floorVariant.Server = v.phase.floor
		floor, ours := b.measure(v, number)
		b.samples[floorVariant.key()] = append(b.samples[floorVariant.key()], floor)
		b.samples[v.key()] = append(b.samples[v.key()], ours)
		b.ratios[v.key()] = append(b.ratios[v.key()], ours.CPU/floor.CPU)
	}
	fmt.Fprintf(os.Stderr, "\r%-120s\r", "")
}

// measure measures a variant and its floor. They take turns, so that what else the machine does meanwhile meets both.
func (b *bench) measure(v variant, number int) (floor, ours sample) {
	sides := []*side{b.side(v, v.phase.floor, number), b.side(v, v.Server, number)}
	for _, s := range sides {
		b.warm(v, s)
	}
	for turn := range turns {
		for _, s := range sides {
			s.turn(v, b.duration/turns, turn)
		}
	}
	if v.phase.first {
		// What a birth leaves to alarms is part of what it costs.
		for _, s := range sides {
			s.count(s.worker.Settle)
		}
	}
	return sides[0].sample(v), sides[1].sample(v)
}

// warm makes calls that do not count: objects that were not called for ten seconds start anew, what was hot
// is not any more, and what code was not run for long may have to be compiled again.
func (b *bench) warm(v variant, s *side) {
	if v.phase.first {
		load.Calls(v.Clients, firsts/8, s.call("warm"))
		return
	}
	// Each key twice, or nearly so.
	load.Calls(v.Clients, 2*s.keys, s.call("warm"))
	load.For(v.Clients, b.duration/4, s.call("warm"))
}

// side is one of the two servers that are compared.
type side struct {
	worker *harness.Worker
	keys   int
	// call makes the calls of one turn.
	call   func(turn string) load.Call
	result load.Result
	cpu    time.Duration
	rss    uint64
}

func (b *bench) side(v variant, who role, number int) *side {
	among := keys
	if v.Server == hot {
		among = hotKeys
	}
	pick := load.Uniform(among)
	if v.Keys == "zipf" {
		pick = load.Zipf(among)
	}
	clients := clients{
		Client: b.client(who, v.Codec, v.Clients),
		raw:    load.NewRaw(b.servers[who].URL, v.Clients, v.Codec),
	}
	make := v.phase.call
	if v.Client == fasthttp {
		make = v.phase.raw
	}
	return &side{worker: b.servers[who], keys: among, call: func(turn string) load.Call {
		return make(clients, target{
			isFloor: who == floorA || who == floorB,
			round:   fmt.Sprintf("%d-%s-%s-%s", number, v.Codec, v.Server, turn),
			pick:    pick,
		})
	}}
}

func (s *side) turn(v variant, duration time.Duration, number int) {
	call := s.call(fmt.Sprint(number))
	s.count(func() {
		if v.phase.first {
			s.result = s.result.Then(load.Calls(v.Clients, firsts/turns, call))
		} else {
			s.result = s.result.Then(load.For(v.Clients, duration, call))
		}
	})
}

// count counts the processor time that the server takes meanwhile.
func (s *side) count(meanwhile func()) {
	before := s.worker.Usage()
	meanwhile()
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
		P50:       result.Quantile(50),
		P95:       result.Quantile(95),
		P99:       result.Quantile(99),
		Max:       result.Max(),
		CPU:       float64(s.cpu.Microseconds()) / float64(result.Calls),
		RSS:       load.MiB(s.rss),
		Errors:    result.Errors,
	}
}

// rows are the medians, each floor once before what is compared with it.
func (b *bench) rows(all []variant) []row {
	var rows []row
	for _, v := range all {
		floor := v
		floor.Server = v.phase.floor
		if !slices.ContainsFunc(rows, func(r row) bool { return r.key() == floor.key() }) {
			rows = append(rows, row{variant: floor, sample: medians(b.samples[floor.key()])})
		}
		rows = append(rows, row{
			variant: v,
			sample:  medians(b.samples[v.key()]),
			Ratio:   median(b.ratios[v.key()]),
			Floor:   v.phase.floor,
		})
	}
	return rows
}

func medians(samples []sample) sample {
	of := func(pick func(sample) float64) float64 {
		var values []float64
		for _, each := range samples {
			values = append(values, pick(each))
		}
		return median(values)
	}
	var all sample
	for _, each := range samples {
		all.Errors += each.Errors
	}
	all.PerSecond = of(func(s sample) float64 { return s.PerSecond })
	all.P50 = of(func(s sample) float64 { return s.P50 })
	all.P95 = of(func(s sample) float64 { return s.P95 })
	all.P99 = of(func(s sample) float64 { return s.P99 })
	all.Max = of(func(s sample) float64 { return s.Max })
	all.CPU = of(func(s sample) float64 { return s.CPU })
	all.RSS = of(func(s sample) float64 { return s.RSS })
	return all
}

func median[N cmp.Ordered](values []N) N {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
