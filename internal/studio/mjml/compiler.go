package mjml

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"modernc.org/quickjs"

	"rapport/internal/fault"
)

// Version is that of the compiler. The same source compiles to the same HTML
// under the same Version.
const Version = "5.4.1"

// Limits of the engine and of what it is given.
const (
	// MaxSource bounds a template: the longest mail that Gmail shows whole has 102
	// kB of HTML, and MJML is shorter than what it becomes.
	MaxSource = 200 << 10
	// maxDepth bounds how deep elements are nested: the compiler calls itself for
	// each, and a real template has ten.
	maxDepth = 60
	// maxMemory bounds the engine. The compiler alone takes 20 MB, a real template
	// 10 more.
	maxMemory = 256 << 20
	// maxStack bounds the engine's stack, which the compiler's own parsers use.
	maxStack = 8 << 20
	// maxTime bounds one compilation. A real template takes 5 to 50 ms; the rest is
	// for machines that are slow or busy, since an answer must not depend on them.
	maxTime = 20 * time.Second
)

//go:embed compiler.js.gz
var packed []byte

// program is the compiler as JavaScript.
var program = sync.OnceValues(func() (string, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
})

// Problem is one mistake in a template.
type Problem struct {
	Line    int    // from 1
	What    string // what is wrong
	Instead string // what to write; may be empty
}

// Compiler is the compiler in an engine of its own. The zero Compiler is ready
// for use: the first template starts the engine, which takes some tenths of a
// second, and the ones behind it take milliseconds. It is for one goroutine.
type Compiler struct {
	vm *quickjs.VM
}

// start starts the engine if it does not run.
func (c *Compiler) start() error {
	if c.vm != nil {
		return nil
	}
	source, err := program()
	if err != nil {
		return fmt.Errorf("unpacking the MJML compiler: %w", err)
	}
	vm, err := quickjs.NewVM()
	if err != nil {
		return fmt.Errorf("starting the engine of the MJML compiler: %w", err)
	}
	vm.SetMemoryLimit(maxMemory)
	vm.SetMaxStackSize(maxStack)
	if err := vm.SetEvalTimeout(maxTime); err != nil {
		return errors.Join(fmt.Errorf("limiting the engine of the MJML compiler: %w", err), vm.Close())
	}
	if _, err := vm.Eval(source+"\n;0", quickjs.EvalGlobal); err != nil {
		return errors.Join(fmt.Errorf("loading the MJML compiler: %w", err), vm.Close())
	}
	c.vm = vm
	return nil
}

// Close ends the engine. A closed Compiler is as good as a new one.
func (c *Compiler) Close() error {
	if c.vm == nil {
		return nil
	}
	vm := c.vm
	c.vm = nil
	return vm.Close()
}

// answer is what the compiler says.
type answer struct {
	HTML   string
	Errors []struct {
		Line             int
		Message, TagName string
	}
	Failure, Stack string
}

// Page is what a document became.
type Page struct {
	HTML string
	// Lines say for each line of the HTML from which line of the source its first
	// piece of Liquid came; 0 for a line without any.
	Lines []int
}

// Compile returns the HTML of an MJML document, with its Liquid as it was
// written, or every problem that was found, by line. A document that is too
// long, too deep, or takes too much memory or time is a problem too. The error is
// for what is no mistake of the template's; the Compiler must then be closed.
func (c *Compiler) Compile(source string) (Page, []Problem, error) {
	source = strings.ReplaceAll(strings.TrimPrefix(source, "\ufeff"), "\r\n", "\n")
	if len(source) > MaxSource {
		return Page{}, []Problem{{1, fmt.Sprintf("the template is longer than %d kB", MaxSource>>10), "two templates, or pictures by their address"}}, nil
	}
	m, problems := hide(source)
	problems = append(problems, m.refuse()...)
	if len(problems) > 0 {
		return Page{}, problems, nil
	}
	if err := c.start(); err != nil {
		return Page{}, nil, err
	}
	a, err := c.run(m.text)
	if err != nil {
		return Page{}, nil, errors.Join(err, c.Close())
	}
	if a.Failure != "" {
		// An engine that was stopped half way is not used again.
		return Page{}, []Problem{broken(a.Failure)}, c.Close()
	}
	for _, e := range a.Errors {
		if p, counts := m.problem(e.Line, e.TagName, e.Message); counts {
			problems = append(problems, p)
		}
	}
	problems = append(problems, m.lost(a.HTML)...)
	if len(problems) > 0 {
		return Page{}, problems, nil
	}
	return m.page(a.HTML), nil, nil
}

// run compiles in the engine.
func (c *Compiler) run(source string) (a answer, err error) {
	if _, err = c.vm.Call("compile", source); err != nil {
		return spent(err)
	}
	if _, err := c.vm.ExecutePendingJobs(); err != nil {
		return spent(err)
	}
	text, err := c.vm.Eval("globalThis.answer", quickjs.EvalGlobal)
	if err != nil {
		return spent(err)
	}
	s, ok := text.(string)
	if !ok || s == "" {
		return a, fault.New(fault.Internal, "the MJML compiler gave no answer")
	}
	if err = json.Unmarshal([]byte(s), &a); err != nil {
		return a, fmt.Errorf("reading the answer of the MJML compiler: %w", err)
	}
	return a, nil
}

// spent turns the engine's end of patience into the template's problem.
func spent(err error) (answer, error) {
	text := err.Error()
	for _, sign := range []string{"interrupted", "out of memory", "stack overflow", "timeout"} {
		if strings.Contains(text, sign) {
			return answer{Failure: text}, nil
		}
	}
	return answer{}, fmt.Errorf("compiling MJML: %w", err)
}

// broken words the failure of a compilation as a whole.
func broken(failure string) Problem {
	switch {
	case strings.Contains(failure, "Parsing failed"), strings.Contains(failure, "Malformed MJML"):
		return Problem{1, "this is no MJML document: " + failure, "<mjml><mj-body>…</mj-body></mjml>"}
	case strings.Contains(failure, "out of memory"):
		return Problem{1, "the template takes more memory to compile than a template may", "a shorter one"}
	case strings.Contains(failure, "interrupted"), strings.Contains(failure, "timeout"):
		return Problem{1, "the template takes longer to compile than a template may", "a shorter one"}
	case strings.Contains(failure, "stack overflow"):
		return Problem{1, "the template is nested deeper than a template may be", "fewer elements inside one another"}
	}
	return Problem{1, "the template cannot be compiled: " + failure, ""}
}
