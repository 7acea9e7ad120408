package main

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	differentialv1 "github.com/coral-mesh/coral-discovery/tests/go/gen/differential/v1"
)

// maxDepth is the depth of random messages.
const maxDepth = 3

// fill sets random fields of a message to random values.
func (c *comparison) fill(message protoreflect.Message, depth int) {
	if c.fillWellKnown(message, depth) {
		return
	}
	fields := message.Descriptor().Fields()
	if fields.Len() == 0 {
		return
	}
	for range 1 + c.random.IntN(6) {
		field := fields.Get(c.random.IntN(fields.Len()))
		isMessage := field.Message() != nil && !field.IsMap()
		if isMessage && depth >= maxDepth {
			continue
		}
		switch {
		case field.IsList():
			list := message.Mutable(field).List()
			for range c.random.IntN(4) {
				list.Append(c.value(list.NewElement, field, depth))
			}
		case field.IsMap():
			entries := message.Mutable(field).Map()
			for range c.random.IntN(4) {
				key := c.scalar(field.MapKey()).MapKey()
				entries.Set(key, c.value(entries.NewValue, field.MapValue(), depth))
			}
		default:
			newValue := func() protoreflect.Value { return message.NewField(field) }
			message.Set(field, c.value(newValue, field, depth))
		}
	}
}

// fillWellKnown fills messages of well-known types whose fields depend on each other. It returns
// false for other messages.
func (c *comparison) fillWellKnown(message protoreflect.Message, depth int) bool {
	fields := message.Descriptor().Fields()
	set := func(name protoreflect.Name, value protoreflect.Value) {
		message.Set(fields.ByName(name), value)
	}
	nanos := pick(c, 0, 0, 1, 1_000, 500_000_000, 999_999_999, 123_456_000, -1)
	switch message.Descriptor().FullName() {
	case "google.protobuf.Timestamp":
		seconds := pick(c, 0, -1, 1_767_323_045, -62_135_596_800, 253_402_300_799, 253_402_300_800,
			c.random.Int64N(1<<40)-(1<<39))
		set("seconds", protoreflect.ValueOfInt64(seconds))
		set("nanos", protoreflect.ValueOfInt32(int32(nanos)))
	case "google.protobuf.Duration":
		seconds := pick(c, 0, 0, 1, -1, 315_576_000_000, -315_576_000_001,
			c.random.Int64N(1<<30)-(1<<29))
		if seconds < 0 && c.random.IntN(4) > 0 {
			nanos = -nanos
		}
		set("seconds", protoreflect.ValueOfInt64(seconds))
		set("nanos", protoreflect.ValueOfInt32(int32(nanos)))
	case "google.protobuf.FieldMask":
		paths := message.Mutable(fields.ByName("paths")).List()
		for range c.random.IntN(3) {
			path := pick(c, "a", "a_b.c_d", "foo_bar", "aB", "a__b", "_a", "a_", "a1_b2", "a_1", "")
			paths.Append(protoreflect.ValueOfString(path))
		}
	case "google.protobuf.Any":
		var inner proto.Message = &durationpb.Duration{Seconds: 1}
		if c.random.IntN(2) == 0 && depth < maxDepth {
			inner = &differentialv1.Everything{}
			c.fill(inner.ProtoReflect(), depth+2)
		}
		any, err := anypb.New(inner)
		if err != nil {
			panic(err)
		}
		typeURL := pick(c, any.TypeUrl, any.TypeUrl, any.TypeUrl, "", "x/unknown.Type")
		set("type_url", protoreflect.ValueOfString(typeURL))
		set("value", protoreflect.ValueOfBytes(any.Value))
	default:
		return false
	}
	return true
}

func (c *comparison) value(
	newValue func() protoreflect.Value, field protoreflect.FieldDescriptor, depth int,
) protoreflect.Value {
	if field.Message() == nil {
		return c.scalar(field)
	}
	value := newValue()
	if depth < maxDepth {
		c.fill(value.Message(), depth+1)
	}
	return value
}

func (c *comparison) scalar(field protoreflect.FieldDescriptor) protoreflect.Value {
	integer := pick(c, 0, 1, -1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64,
		1<<53+1, int64(c.random.Uint64()))
	float := pick(c, 0, 1, -1.5, 0.1, 1e20, 1e21, 1e-6, 1e-7, 1.5e300, 5e-324, math.MaxFloat32,
		math.NaN(), math.Inf(1), math.Inf(-1), c.random.NormFloat64(),
		math.Float64frombits(c.random.Uint64()))
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(integer&1 == 0)
	case protoreflect.EnumKind:
		number := pick(c, 0, 1, 2, 3, 7, -1, -2, math.MaxInt32)
		return protoreflect.ValueOfEnum(protoreflect.EnumNumber(number))
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(integer))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(integer))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return protoreflect.ValueOfInt64(integer)
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(integer))
	case protoreflect.FloatKind:
		// prost omits a negative zero like any other zero.
		return protoreflect.ValueOfFloat32(float32(float) + 0)
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(float)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(pick(c, "", "a", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "<>&'",
			"☺𝄞\u2028", fmt.Sprint(integer)))
	case protoreflect.BytesKind:
		bytes := make([]byte, c.random.IntN(8))
		for i := range bytes {
			bytes[i] = byte(c.random.Uint32())
		}
		return protoreflect.ValueOfBytes(bytes)
	default:
		panic(field.Kind())
	}
}

// pick returns one of the choices at random.
func pick[T any](c *comparison, choices ...T) T {
	return choices[c.random.IntN(len(choices))]
}
