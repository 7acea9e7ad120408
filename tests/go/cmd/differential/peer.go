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

// peer is the program that has our codecs, behind a pipe.
type peer struct {
	input  *bufio.Writer
	output *bufio.Reader
}

func start(program string) (*peer, error) {
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
	return &peer{bufio.NewWriter(input), bufio.NewReader(output)}, command.Start()
}

// convert turns a message from binary ('b') or JSON ('j') into the other form, or says why not.
func (p *peer) convert(way byte, name protoreflect.FullName, message []byte) (converted []byte, refusal string) {
	p.input.WriteByte(way)
	for _, part := range [][]byte{[]byte(name), message} {
		p.input.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		p.input.Write(part)
	}
	if err := p.input.Flush(); err != nil {
		log.Fatal(err)
	}
	letter, err := p.output.ReadByte()
	if err != nil {
		log.Fatalf("on %s %q: %v", name, message, err)
	}
	var size uint32
	if err := binary.Read(p.output, binary.BigEndian, &size); err != nil {
		log.Fatal(err)
	}
	part := make([]byte, size)
	if _, err := io.ReadFull(p.output, part); err != nil {
		log.Fatal(err)
	}
	if letter == '+' {
		return part, ""
	}
	return nil, string(part)
}
