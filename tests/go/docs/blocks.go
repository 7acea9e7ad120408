// Package docs tests the documentation: command lines are compared with the help of their programs,
// and examples that call a local server are run.
package docs

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"

	"github.com/coral-mesh/coral-discovery/tests/go/harness"
)

// block is a fenced code block of a document.
type block struct {
	// Document is the path from the project's root, and Line the block's first line.
	Document string
	Line     int
	// Language is the first word after the fence. It is empty for printed text.
	Language string
	Code     string
}

// skippedFolders have no documents of the project.
var skippedFolders = []string{"node_modules", "target", ".git", ".wrangler", ".workerd", "build"}

// documents returns the paths of all Markdown files, from the project's root.
func documents(t *testing.T) []string {
	t.Helper()
	var found []string
	walk := func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(skippedFolders, entry.Name()) {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			relative, err := filepath.Rel(harness.Path(), path)
			found = append(found, relative)
			return err
		}
		return nil
	}
	if err := filepath.WalkDir(harness.Path(), walk); err != nil {
		t.Fatal(err)
	}
	if len(found) < 10 {
		t.Fatalf("only %v", found)
	}
	return found
}

// read returns the content of a file, given from the project's root.
func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(harness.Path(path))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// blocks returns the code blocks of a document, in order.
func blocks(t *testing.T, document string) []block {
	t.Helper()
	source := read(t, document)
	var found []block
	tree := goldmark.DefaultParser().Parse(text.NewReader(source))
	err := ast.Walk(tree, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		fenced, ok := node.(*ast.FencedCodeBlock)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		lines := fenced.Lines()
		if lines.Len() == 0 {
			return ast.WalkContinue, nil
		}
		language, _, _ := strings.Cut(string(fenced.Language(source)), ",")
		found = append(found, block{
			Document: document,
			Line:     1 + bytes.Count(source[:lines.At(0).Start], []byte("\n")),
			Language: language,
			Code:     string(lines.Value(source)),
		})
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
