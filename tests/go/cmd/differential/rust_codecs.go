package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"log"
	"os"
	"os/exec"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// rustCodecs calls the program with the Rust codecs over pipes.
type rustCodecs struct {
	input  *bufio.Writer
	output *bufio.Reader
}

func startRustCodecs(program string) (*rustCodecs, error) {
	command := exec.Command(program)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &rustCodecs{bufio.NewWriter(input), bufio.NewReader(output)}, command.Start()
}

// Codec of a message that is converted to the other codec.
const (
	fromBinary byte = 'b'
	fromJSON   byte = 'j'
)

// convert converts a message from binary to JSON or from JSON to binary. If the Rust codecs reject
// the message, failure is their error.
func (r *rustCodecs) convert(
	from byte, name protoreflect.FullName, message []byte,
) (converted []byte, failure string) {
	r.input.WriteByte(from)
	for _, part := range [][]byte{[]byte(name), message} {
		r.input.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		r.input.Write(part)
	}
	if err := r.input.Flush(); err != nil {
		log.Fatal(err)
	}
	mark, err := r.output.ReadByte()
	if err != nil {
		log.Fatalf("on %s %q: %v", name, message, err)
	}
	var size uint32
	if err := binary.Read(r.output, binary.BigEndian, &size); err != nil {
		log.Fatal(err)
	}
	part := make([]byte, size)
	if _, err := io.ReadFull(r.output, part); err != nil {
		log.Fatal(err)
	}
	if mark == '+' {
		return part, ""
	}
	return nil, string(part)
}
