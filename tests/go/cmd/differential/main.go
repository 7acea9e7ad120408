// Command differential compares our codecs with Go's, on random messages and mutated JSON.
package main

import (
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	discoveryv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/coral/discovery/v1"
	differentialv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/differential/v1"
)

// messages are what is compared, besides those of the image; one with every kind of field as often
// as all others.
var messages = []proto.Message{
	&discoveryv1.RegisterColonyRequest{},
	&discoveryv1.LookupColonyResponse{},
	&discoveryv1.RegisterAgentResponse{},
}

// shown is how many disagreements are printed.
const shown = 20

type comparison struct {
	peer          *peer
	types         *types
	random        *rand.Rand
	disagreements int
}

func main() {
	cases := flag.Int("cases", 20_000, "how many messages to compare")
	seed := flag.Uint64("seed", 1, "where randomness starts")
	program := flag.String("peer", "", "the program that has our codecs")
	image := flag.String("image", "", "descriptors of more messages to compare")
	flag.Parse()
	peer, err := start(*program)
	if err != nil {
		log.Fatal(err)
	}
	types, err := read(*image)
	if err != nil {
		log.Fatal(err)
	}
	c := &comparison{peer: peer, types: types, random: rand.New(rand.NewPCG(*seed, 0))}
	others := types.messages
	for _, message := range messages {
		others = append(others, message.ProtoReflect().Type())
	}
	everything := (&differentialv1.Everything{}).ProtoReflect().Type()
	for i := range *cases {
		if i%2 == 0 {
			c.compare(everything)
		} else {
			c.compare(others[i/2%len(others)])
		}
		if i%100_000 == 99_999 {
			fmt.Printf("%d cases, %d disagreements\n", i+1, c.disagreements)
		}
	}
	fmt.Printf("%d cases, seed %d, %d disagreements\n", *cases, *seed, c.disagreements)
	if c.disagreements > 0 {
		os.Exit(1)
	}
}

// compare makes a message and looks what both make of it, of its JSON, and of that mutated.
func (c *comparison) compare(of protoreflect.MessageType) {
	message := of.New()
	c.fill(message, 0)
	text, ok := c.compareWriting(message.Interface())
	if !ok {
		return
	}
	c.compareReading(of, text)
	c.compareReading(of, c.mutate(text))
	binary, err := proto.Marshal(message.Interface())
	if err != nil {
		log.Fatal(err)
	}
	c.compareBinary(of, c.damage(of.Descriptor(), binary))
}

// compareWriting returns Go's JSON, if the message has any.
func (c *comparison) compareWriting(message proto.Message) (string, bool) {
	binary, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		log.Fatal(err)
	}
	name := message.ProtoReflect().Descriptor().FullName()
	ours, refusal := c.peer.convert('b', name, binary)
	theirs, err := protojson.MarshalOptions{Resolver: c.types}.Marshal(message)
	if (refusal == "") != (err == nil) {
		c.disagree("writing", name, fmt.Sprintf("%x", binary), string(ours)+refusal, fmt.Sprint(string(theirs), err))
		return "", false
	}
	if err == nil && !sameJSON(parse(string(ours)), parse(string(theirs))) {
		c.disagree("writing", name, fmt.Sprintf("%x", binary), string(ours), string(theirs))
	}
	return string(theirs), err == nil
}

// compareReading reads as connect-go does: unknown fields are ignored.
func (c *comparison) compareReading(of protoreflect.MessageType, text string) {
	name := of.Descriptor().FullName()
	ours, refusal := c.peer.convert('j', name, []byte(text))
	theirs := of.New().Interface()
	err := protojson.UnmarshalOptions{DiscardUnknown: true, Resolver: c.types}.Unmarshal([]byte(text), theirs)
	if refusal != "" && err == nil && lenient.MatchString(text) {
		return
	}
	// serde does not look at the escapes in what is ignored.
	if refusal == "" && err != nil && strings.Contains(err.Error(), "invalid escape code") && strings.Contains(text, `\u`) {
		return
	}
	if refusal == "" && err != nil && unknownChoice.MatchString(text) && strings.Contains(err.Error(), "is already set") {
		return
	}
	if (refusal == "") != (err == nil) {
		c.disagree("reading", name, text, fmt.Sprintf("%x%s", ours, refusal), fmt.Sprint(err))
		return
	}
	if err != nil {
		return
	}
	c.same("reading", of, text, ours, theirs)
}

func (c *comparison) same(what string, of protoreflect.MessageType, input string, ours []byte, theirs proto.Message) {
	message := of.New().Interface()
	if err := proto.Unmarshal(ours, message); err != nil {
		log.Fatalf("%s of %s: our binary cannot be read: %v", what, input, err)
	}
	// In a google.protobuf.Any the same message may have other bytes: its JSON tells then.
	if !proto.Equal(message, theirs) && !sameJSON(parse(c.format(message)), parse(c.format(theirs))) {
		c.disagree(what, of.Descriptor().FullName(), input, c.format(message), c.format(theirs))
	}
}

func (c *comparison) disagree(what string, name protoreflect.FullName, input, ours, theirs string) {
	if c.disagreements++; c.disagreements <= shown {
		fmt.Printf("%s %s\n  input:  %s\n  ours:   %s\n  theirs: %s\n", what, name, cut(input), cut(ours), cut(theirs))
	}
}

func (c *comparison) format(message proto.Message) string {
	text, err := protojson.MarshalOptions{Resolver: c.types, Multiline: true}.Marshal(message)
	return fmt.Sprint(string(text), err)
}

func cut(text string) string {
	if len(text) > 1500 {
		return text[:1500] + "..."
	}
	return text
}
