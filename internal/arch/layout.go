package arch

import (
	"path"
	"slices"
	"strings"
)

// CoreOrder is the order of the core packages: that of the data. A package may
// import the ones before it, so that what was understood never reaches back into
// what was heard. The name "" is internal/core itself, which composes the others
// into Apply.
var CoreOrder = []string{
	"spec",  // the neutral tree of definitions: each package reads its own part
	"wire",  // the one binary encoding
	"money", // exact sums
	"event",
	"product", // what the shop sells
	"place",   // where: stores and fences
	"identity", "profile", "condition", "insight", "recommend",
	"journey", "decision", "content", "measure",
	"",
}

// Ports are the packages that promise what the core and the shell need of the
// world. An adapter is a folder below its port.
var Ports = []string{"channels", "eventlog", "store", "warehouse"}

// Kits are folders below a port that are no adapters: what several of its adapters
// share, so that none repeats it and none imports another. A kit imports what an
// adapter may; adapters of its port, the shell and commands may import it.
var Kits = []string{
	"channels/mail",     // what an e-mail is, whoever carries it
	"channels/provider", // carrying messages to a provider over HTTP
}

// Leaves are the packages that everything outside the core may import: they
// import none of ours.
var Leaves = []string{"durable", "egress", "fault", "killpoint"}

// suiteSuffix ends the name of a conformance suite: a folder below a port, such as
// storetest, that tests, and nothing else, may import.
const suiteSuffix = "test"

// Exempt are packages to which the rules about imports and comments do not
// apply, with the reason.
var Exempt = map[string]string{}

// PureStd are the packages of the standard library that the core may import:
// they compute. A package that is not here reads the world, waits, or is
// answered by chance.
var PureStd = []string{
	"bytes", "cmp", "container/heap", "container/list", "crypto/hmac", "crypto/sha256", "embed", "encoding",
	"encoding/base32", "encoding/base64", "encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt",
	"hash", "hash/crc32", "hash/fnv", "html", "io", "iter", "maps", "math", "math/big", "math/bits", "math/cmplx",
	"net/netip", "net/url", "path", "regexp", "regexp/syntax", "slices", "sort", "strconv", "strings",
	"time", "unicode", "unicode/utf16", "unicode/utf8", "unique",
}

// Library is a third-party module that may be imported in some rooms.
type Library struct {
	Path  string   // the import path, or the beginning of it
	Rooms []string // folders below internal; "core" is every core package, "shell" the whole shell
	Why   string
}

// Libraries lists who may import which third-party module. Adapters, the
// commands, api and intake may import any: they are the edges, where the formats
// and protocols of others are met.
var Libraries = []Library{
	{"gonum.org/v1/gonum", []string{"core"}, "distributions and fitting, checked against published tables"},
	{"github.com/RoaringBitmap/roaring", []string{"core", "audience"}, "sets of numbers"},
	{"github.com/golang/geo", []string{"core"}, "fences on a sphere"},
	{"github.com/nyaruka/phonenumbers", []string{"core"}, "the grammar of telephone numbers"},
	{"golang.org/x/net/publicsuffix", []string{"sender"}, "which domain was registered: DMARC aligns by it"},
	{"golang.org/x/net/html", []string{"core/content", "site", "studio"}, "reading HTML as browsers do"},
	{"modernc.org/quickjs", []string{"studio"}, "the engine in which the official MJML compiler runs"},
	{"github.com/andybalholm/cascadia", []string{"studio"}, "selectors of CSS, with their specificity"},
	{"golang.org/x/image", []string{"studio"}, "WebP, and scaling pictures"},
	{"golang.org/x/crypto/argon2", []string{"people"}, "hashing passwords"},
	{"rsc.io/qr", []string{"studio"}, "QR codes"},
	{"github.com/klauspost/compress", []string{"core/profile", "shell"}, "history blocks, log records and feed blocks are compressed where they are made"},
	{"github.com/valyala/fastjson", []string{"sources"}, "JSON without allocation at the edge"},
	{"github.com/goccy/go-yaml", []string{"program", "story"}, "definitions with file, line and column"},
	{"github.com/emersion/go-smtp", []string{"mailcatcher", "inbound"}, "the server that catches mail, and the one that takes bounces"},
	{"github.com/emersion/go-message", []string{"bounce"}, "taking mails apart"},
	{"github.com/emersion/go-msgauth", []string{"sender"}, "DKIM signatures"},
	{"github.com/prometheus/client_golang", []string{"shell"}, "counters stand where the thing counted happens"},
}

// anyLibrary are the rooms of the shell that may import any third-party module.
var anyLibrary = []string{"api", "intake"}

// testLibraries are what the tests of the core may import beside what the core may.
var testLibraries = []string{"github.com/google/go-cmp", "pgregory.net/rapid"}

// layer is how far from the core a package is.
type layer int

const (
	shell   layer = iota // joins core and ports; knows no adapter
	leaf                 // imports none of ours
	core                 // pure
	port                 // promises
	kit                  // what the adapters of a port share
	suite                // the tests of a promise
	adapter              // keeps a promise with the means of others
	command              // picks the adapters
)

// room is where a package stands.
type room struct {
	layer layer
	name  string // the first folder below internal, or below core or the port: "intake", "event", "sqlite"
	port  string // of an adapter, a kit or a suite: the port's name
	dir   string
}

// roomOf returns where the package in a folder of the checkout stands.
func roomOf(dir string) room {
	parts := strings.Split(dir, "/")
	if parts[0] == "cmd" {
		return room{layer: command, name: path.Base(dir), dir: dir}
	}
	if parts[0] != "internal" || len(parts) < 2 {
		return room{layer: shell, name: parts[0], dir: dir}
	}
	name, below := parts[1], ""
	if len(parts) > 2 {
		below = parts[2]
	}
	switch {
	case name == "core":
		return room{layer: core, name: below, dir: dir}
	case slices.Contains(Leaves, name):
		return room{layer: leaf, name: name, dir: dir}
	case slices.Contains(Ports, name) && below == "":
		return room{layer: port, name: name, port: name, dir: dir}
	case slices.Contains(Kits, name+"/"+below):
		return room{layer: kit, name: below, port: name, dir: dir}
	case slices.Contains(Ports, name) && strings.HasSuffix(below, suiteSuffix):
		return room{layer: suite, name: below, port: name, dir: dir}
	case slices.Contains(Ports, name):
		return room{layer: adapter, name: below, port: name, dir: dir}
	}
	return room{layer: shell, name: name, dir: dir}
}

// mayUse reports whether code in the room may import the third-party package.
func (r room) mayUse(library string) bool {
	switch r.layer {
	case adapter, command, suite, kit:
		return true
	case shell:
		if slices.Contains(anyLibrary, r.name) {
			return true
		}
	}
	for _, l := range Libraries {
		if within(library, l.Path) && slices.ContainsFunc(l.Rooms, r.is) {
			return true
		}
	}
	return false
}

// is reports whether the room is the one that a [Library] names.
func (r room) is(name string) bool {
	switch r.layer {
	case core:
		return name == "core" || name == "core/"+r.name
	case shell:
		return name == "shell" || name == r.name
	}
	return false
}

// within reports whether an import path is prefix or below it. A new major
// version of a module ("…/v2") is below it.
func within(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}
