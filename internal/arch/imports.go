package arch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Imports holds the rules about who may import whom.
func (t *Tree) Imports() []Finding {
	var found []Finding
	for _, file := range t.Go {
		if _, exempt := Exempt[file.Dir]; exempt {
			continue
		}
		for _, spec := range file.AST.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				continue // does not parse
			}
			if f, bad := judge(roomOf(file.Dir), imported, file.Test); bad {
				f.Path, f.Line = file.Path, t.line(spec.Pos())
				found = append(found, f)
			}
		}
	}
	return append(found, t.unknownCore()...)
}

// unknownCore finds core packages that have no place in [CoreOrder].
func (t *Tree) unknownCore() []Finding {
	var found []Finding
	var seen []string
	for _, file := range t.Go {
		r := roomOf(file.Dir)
		if r.layer != core || rank(r.name) >= 0 || slices.Contains(seen, r.name) {
			continue
		}
		seen = append(seen, r.name)
		found = append(found, Finding{
			Rule: "core-order", Path: file.Path, Line: t.line(file.AST.Package),
			What:    fmt.Sprintf("the core package %s has no place in the order of the data", r.name),
			Instead: "name it in CoreOrder in internal/arch/layout.go, after what it needs, with a line in docs/decisions",
		})
	}
	return found
}

// judge returns the finding for one import, and whether there is one.
func judge(from room, imported string, test bool) (Finding, bool) {
	switch {
	case imported == Module || strings.HasPrefix(imported, Module+"/"):
		return judgeOurs(from, strings.TrimPrefix(strings.TrimPrefix(imported, Module), "/"), test)
	case !strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
		return judgeStd(from, imported, test)
	default:
		return judgeLibrary(from, imported, test)
	}
}

// judgeOurs judges an import of a package of this module.
func judgeOurs(from room, dir string, test bool) (Finding, bool) {
	to := roomOf(dir)
	if from.dir == to.dir {
		return Finding{}, false // a package's own test
	}
	if to.layer == command {
		return Finding{
			Rule: "imports", What: "imports the command " + dir,
			Instead: "move what is shared into a package below internal",
		}, true
	}
	if to.layer == suite && !test && from.layer != suite {
		return Finding{
			Rule: "suite-in-product", What: "imports the conformance suite " + dir + " outside a test",
			Instead: "import it in a _test.go file only; what the product needs belongs into the port",
		}, true
	}
	switch from.layer {
	case leaf:
		return Finding{
			Rule: "leaf", What: "imports " + dir + " although every package may import this one",
			Instead: "keep it a leaf: pass what it needs as an argument",
		}, true
	case core:
		return judgeCore(from, to, test)
	case port:
		if to.layer == core || to.name == "fault" || test {
			return Finding{}, false
		}
		return Finding{
			Rule: "port", What: "the port imports " + dir,
			Instead: "a port imports core and fault only: take what it needs as an argument, or move the promise",
		}, true
	case suite, adapter, kit:
		return judgeAdapter(from, to, test)
	case shell:
		if to.layer == adapter && !test {
			return Finding{
				Rule: "shell-knows-adapter", What: "imports the adapter " + dir,
				Instead: "take the interface of internal/" + to.port + " as an argument; only a command in cmd picks adapters",
			}, true
		}
	}
	return Finding{}, false
}

// judgeCore judges an import of ours in the core.
func judgeCore(from, to room, test bool) (Finding, bool) {
	if to.layer == core {
		unknown := rank(from.name) < 0 || rank(to.name) < 0 // has its own finding
		if unknown || test || to.name == from.name || rank(to.name) < rank(from.name) {
			return Finding{}, false
		}
		return Finding{
			Rule: "core-order", What: "imports " + to.dir + ", which comes later in the loop",
			Instead: "define the type here and let the later package use it, or append an event that the earlier one hears; the order is CoreOrder in internal/arch/layout.go",
		}, true
	}
	if to.name == "fault" {
		return Finding{}, false
	}
	return Finding{
		Rule: "core-imports", What: "the core imports " + to.dir,
		Instead: "take what it gives as an argument, or return what it should do as an effect; a test that needs it stands beside it, not here",
	}, true
}

// judgeAdapter judges an import of ours in an adapter, a kit or a conformance suite.
func judgeAdapter(from, to room, test bool) (Finding, bool) {
	own := to.port == from.port
	switch {
	case to.layer == core, to.layer == leaf, to.layer == port && own, to.layer == suite && own, to.layer == kit && own:
		return Finding{}, false
	case to.layer == adapter && own && to.name == from.name:
		return Finding{}, false // a folder of the same adapter
	case test:
		return Finding{}, false
	case to.layer == adapter:
		return Finding{
			Rule: "adapter-imports-adapter", What: "imports the adapter " + to.dir,
			Instead: "move what both need into the port internal/" + from.port + " or a kit below it, or repeat it",
		}, true
	}
	return Finding{
		Rule: "adapter", What: "imports " + to.dir,
		Instead: "an adapter knows its port internal/" + from.port + ", the core and the leaves; take the rest as an argument or a function",
	}, true
}

// judgeStd judges an import of the standard library.
func judgeStd(from room, imported string, test bool) (Finding, bool) {
	if from.layer != core || test || slices.Contains(PureStd, imported) {
		return Finding{}, false
	}
	instead := "pass in what it would find out; if it only computes, name it in PureStd in internal/arch/layout.go"
	switch imported {
	case "math/rand", "math/rand/v2", "crypto/rand":
		instead = "a toss is a hash of the experiment and the person, so that a replay tosses the same"
	case "hash/maphash":
		instead = "its seed differs in every process: use hash/fnv or crypto/sha256, so that a replay hashes the same"
	case "sync", "sync/atomic":
		instead = "the core has no goroutines and shares nothing; a value that is handed out is immutable"
	case "context":
		instead = "the core does not wait, so nothing in it can be called off: limit the work by a count"
	case "log", "log/slog":
		instead = "return what should be known; the shell logs it"
	case "os", "io/fs", "net", "net/http":
		instead = "the core reads and writes nothing: take bytes as an argument, return effects"
	case "reflect", "unsafe":
		instead = "write the code for the type: it is faster and the reader sees what it does"
	}
	return Finding{Rule: "core-std", What: "the core imports " + imported, Instead: instead}, true
}

// judgeLibrary judges an import of a third-party module.
func judgeLibrary(from room, imported string, test bool) (Finding, bool) {
	if from.mayUse(imported) {
		return Finding{}, false
	}
	if test {
		if from.layer != core || slices.ContainsFunc(testLibraries, func(l string) bool { return within(imported, l) }) {
			return Finding{}, false
		}
	}
	return Finding{
		Rule: "third-party", What: "imports " + imported,
		Instead: "put it behind a port or at an edge (adapters, api, intake, cmd), or name the room in Libraries in internal/arch/layout.go with the reason and a line in docs/decisions",
	}, true
}

// rank returns the place of a core package in the order, -1 if it has none.
func rank(name string) int { return slices.Index(CoreOrder, name) }
