package story

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"rapport/internal/core"
	"rapport/internal/core/event"
	"rapport/internal/core/identity"
	"rapport/internal/core/journey"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// MaxStories bounds the stories of one folder.
const MaxStories = 2000

// Result is what came of the stories of a folder.
type Result struct {
	Passed   int       `json:"passed"`
	Failed   int       `json:"failed"`
	Stories  []Outcome `json:"stories"`
	Failures []Failure `json:"failures"` // of all stories, in order; never nil
}

// Outcome is what came of one story.
type Outcome struct {
	File   string `json:"file"`
	Title  string `json:"title"`
	Passed bool   `json:"passed"`
}

// Failure is one line that does not hold, or cannot be read.
type Failure struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"` // the line; empty if it is the whole story
	What string `json:"what"` // what was expected and what happened instead
}

// String returns "file:line: what".
func (f Failure) String() string {
	s := fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.What)
	if f.Text != "" {
		s += "\n\t" + f.Text
	}
	return s
}

// Run plays every story (*.story) of the folder and below it, by file name,
// against the program. A story that names definitions of its own is played
// against those; prog may be nil if all do. A story ends at its first line that
// does not hold.
//
// The error says that the folder cannot be read, or that it holds no story.
func Run(fsys fs.FS, prog *program.Program) (Result, error) {
	result := Result{Failures: []Failure{}}
	var files []string
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("reading the stories at %s: %w", name, err)
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.Type().IsRegular() && path.Ext(name) == ".story":
			files = append(files, name)
		}
		if len(files) > MaxStories {
			return fault.New(fault.TooLarge, fmt.Sprintf("there are more than %d stories", MaxStories))
		}
		return nil
	})
	if err != nil {
		return result, err
	}
	if len(files) == 0 {
		return result, fault.New(fault.NotFound, "there is no story: a story is a file that ends in .story")
	}
	r := &runner{fsys: fsys, given: prog, compiled: map[string]*program.Program{}}
	for _, file := range files {
		title, failures := r.play(file)
		result.Stories = append(result.Stories, Outcome{file, title, len(failures) == 0})
		result.Failures = append(result.Failures, failures...)
		if len(failures) == 0 {
			result.Passed++
		} else {
			result.Failed++
		}
	}
	return result, nil
}

// runner plays the stories of one folder.
type runner struct {
	fsys     fs.FS
	given    *program.Program
	compiled map[string]*program.Program // by folder
}

// play plays one story.
func (r *runner) play(file string) (title string, failures []Failure) {
	fail := func(n int, text, what string) []Failure { return []Failure{{file, n, text, what}} }
	body, err := read(r.fsys, file)
	if err != nil {
		return file, fail(1, "", err.Error())
	}
	s, err := parse(file, body)
	if err != nil {
		n, what := explain(err, 1)
		return file, fail(n, "", what)
	}
	prog := r.given
	if s.definitions != "" {
		if prog, err = r.compile(path.Join(path.Dir(file), s.definitions), nil); err != nil {
			return s.title, fail(s.head["definitions"], "", err.Error())
		}
	}
	if prog == nil {
		return s.title, fail(1, "", "there are no definitions to play against; write definitions: and a folder")
	}
	t := &telling{r: r, s: s, zone: prog.Zone}
	if s.zone != "" {
		if t.zone = prog.Core.Zones(s.zone); t.zone == nil {
			return s.title, fail(s.head["zone"], "", fmt.Sprintf("there is no time zone %q", s.zone))
		}
	}
	inForce, err := t.adjust(prog)
	if err != nil {
		return s.title, fail(s.head["journeys"], "", err.Error())
	}
	day, err := time.ParseInLocation(time.DateOnly, s.start, t.zone)
	if err != nil {
		return s.title, fail(s.head["start"], "", err.Error()) // unreachable: parse has checked it
	}
	t.world = newWorld(prog, inForce, event.At(day))
	for i := range s.lines {
		l := &s.lines[i]
		if err := t.tell(l); err != nil {
			n, what := explain(err, l.n)
			return s.title, fail(n, l.text, what)
		}
	}
	if left := t.world.left(); len(left) > 0 {
		return s.title, fail(s.lines[len(s.lines)-1].n, "", "no line expects that "+strings.Join(left, ", nor that "))
	}
	return s.title, nil
}

// explain returns the line and the words of an error.
func explain(err error, n int) (int, string) {
	var m *mistake
	if errors.As(err, &m) {
		return m.line, m.what
	}
	return n, err.Error()
}

func read(fsys fs.FS, file string) (string, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return "", fmt.Errorf("reading the story: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("reading the story: %w", err)
	}
	if len(body) > MaxFile {
		return "", fmt.Errorf("the story is longer than %d bytes", MaxFile)
	}
	return string(body), nil
}

// compile compiles the definitions of a folder; older are those in force before.
func (r *runner) compile(dir string, older []*program.Source) (*program.Program, error) {
	key := dir
	for _, s := range older {
		key += fmt.Sprintf(" %x", s.Hash())
	}
	if p := r.compiled[key]; p != nil {
		return p, nil
	}
	sub, err := fs.Sub(r.fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("there is no folder %s below the stories", dir)
	}
	src, err := program.Read(sub)
	if err != nil {
		return nil, err
	}
	p, problems := program.Compile(src, program.Options{Workspace: "story", Older: older})
	for _, problem := range problems {
		if !problem.Warning {
			return nil, fmt.Errorf("the definitions in %s are not in order: %w", dir, problem)
		}
	}
	r.compiled[key] = p
	return p, nil
}

// telling is one story being played.
type telling struct {
	r     *runner
	s     *script
	zone  *time.Location
	world *world
}

// adjust returns the program's core with the journeys of the story and, unless
// the story wants them, without holdouts.
func (t *telling) adjust(p *program.Program) (*core.Program, error) {
	c := *p.Core
	keep := func(list []*journey.Definition) (kept []*journey.Definition) {
		for _, d := range list {
			if t.s.journeys != nil && !slices.Contains(t.s.journeys, d.Name) {
				continue
			}
			own := *d
			if !t.s.holdout {
				own.Holdout = 0
			}
			kept = append(kept, &own)
		}
		return kept
	}
	for _, name := range t.s.journeys {
		if p.Core.Journeys.Definition(name) == nil {
			return nil, fmt.Errorf("there is no journey %q", name)
		}
	}
	c.Journeys = journey.NewSet(keep(p.Journeys), keep(p.Older))
	if !t.s.holdout {
		gate := *c.Gate
		gate.Policy.Holdout = 0
		c.Gate = &gate
	}
	return &c, nil
}

// tell plays one line.
func (t *telling) tell(l *line) error {
	w := t.world
	at, err := l.instant(w.now.In(t.zone))
	if err != nil {
		return err
	}
	if err := w.until(event.At(at)); err != nil {
		return err
	}
	head, rest, _ := strings.Cut(l.what, " ")
	if head == "definitions" {
		return t.definitions(l, rest)
	}
	if is, err := w.expect(l); is {
		return err
	}
	if head == "campaign" {
		return w.campaign(l, rest)
	}
	if l.who.nobody {
		return wrong(l.n, "nobody in particular cannot do anything; write a person")
	}
	if t.s.introduce && l.what != "identify" {
		if err := w.introduce(l); err != nil {
			return err
		}
	}
	switch head {
	case "address":
		return w.address(l, rest)
	case "service":
		return w.service(l, rest)
	}
	return w.happen(l)
}

// definitions puts other definitions in force; people inside a journey stay on
// the version they are in.
func (t *telling) definitions(l *line, dir string) error {
	w := t.world
	dir = path.Join(path.Dir(t.s.file), strings.TrimSpace(dir))
	p, err := t.r.compile(dir, append([]*program.Source{w.prog.Source}, w.prog.Behind...))
	if err != nil {
		return wrong(l.n, "%s", err.Error())
	}
	c, err := t.adjust(p)
	if err != nil {
		return wrong(l.n, "%s", err.Error())
	}
	c.Runs = w.core.Runs
	w.prog, w.core = p, c
	for _, id := range slices.SortedFunc(maps.Keys(w.people), identity.ID.Compare) {
		w.current(id)
	}
	return w.settle()
}
