package run

import (
	"context"
	"fmt"
	"time"

	"rapport/internal/core/condition"
	"rapport/internal/core/spec"
	"rapport/internal/core/wire"
	"rapport/internal/fault"
	"rapport/internal/program"
)

// maxOlder is how many earlier sets of definitions stay known. People inside a
// journey keep its version, and hardly any journey lasts longer than that many
// edits; whoever does leaves it, and the feed says so.
const maxOlder = 20

// Apply makes the definitions those in force. What is in force already changes
// nothing. The problems say what is wrong with the definitions; if one is more
// than a warning, nothing has changed and the error is Invalid.
//
// The definitions before stay part of the new program, for the people who are
// inside their journeys.
func (n *Node) Apply(ctx context.Context, src *program.Source) ([]spec.Problem, error) {
	now, err := n.Program(ctx)
	if err != nil {
		return nil, err
	}
	var older []*program.Source
	if now != nil {
		if now.Source.Hash() == src.Hash() {
			return nil, nil
		}
		for _, o := range append(now.Behind, now.Source) {
			if o.Hash() != src.Hash() {
				older = append(older, o)
			}
		}
		older = older[max(0, len(older)-maxOlder):]
	}
	p, problems := n.compile(src, older, n.Known(ctx))
	for _, problem := range problems {
		if !problem.Warning {
			return problems, fault.Wrap(fault.Invalid, problem, "the definitions are not in order")
		}
	}
	if err := n.o.Store.SaveProgram(ctx, p.Core.Hash, packPrograms(src, older)); err != nil {
		return problems, err
	}
	n.mu.Lock()
	n.programs[p.Core.Hash] = p
	n.mu.Unlock()
	if err := n.Engine.Switch(ctx, p.Core.Hash); err != nil {
		return problems, err
	}
	_, err = n.Engine.Passed(ctx, forceWait)
	return problems, err
}

// forceWait is how long whoever changes definitions waits until they are in force: whoever
// reads them next should find what they wrote.
const forceWait = 5 * time.Second

// compile makes a program of definitions and those before them. Its hash names
// both, so the same definitions after others are another program.
func (n *Node) compile(src *program.Source, older []*program.Source, known *condition.Known) (*program.Program, []spec.Problem) {
	p, problems := program.Compile(src, program.Options{Workspace: n.o.Workspace, Key: n.o.Key, Older: older, Products: n.o.Products, Known: known})
	if p != nil {
		p.Core.Hash = max(1, wire.Hash(string(packPrograms(src, older)), program.CoreVersion))
	}
	return p, problems
}

// packPrograms encodes definitions, then those before them, the oldest first.
func packPrograms(src *program.Source, older []*program.Source) []byte {
	b := wire.Text(nil, src.Pack())
	for _, o := range older {
		b = wire.Text(b, o.Pack())
	}
	return b
}

// program returns a program by its hash, compiled once.
func (n *Node) program(ctx context.Context, hash uint64) (*program.Program, error) {
	n.mu.Lock()
	p := n.programs[hash]
	n.mu.Unlock()
	if p != nil {
		return p, nil
	}
	packed, err := n.o.Store.Program(ctx, hash)
	if err != nil {
		return nil, err
	}
	var all []*program.Source
	for r := wire.NewReader(string(packed)); !r.Done(); {
		src, err := program.Unpack([]byte(r.Text()))
		if err != nil {
			return nil, err
		}
		all = append(all, src)
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Corrupt, fmt.Sprintf("program %016x is empty", hash))
	}
	p, problems := n.compile(all[0], all[1:], nil)
	for _, problem := range problems {
		if !problem.Warning {
			return nil, fault.Wrap(fault.Corrupt, problem, fmt.Sprintf("program %016x no longer compiles", hash))
		}
	}
	n.mu.Lock()
	n.programs[hash] = p
	n.mu.Unlock()
	return p, nil
}
