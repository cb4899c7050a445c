package arch

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// word is text that must never stand in the repository.
type word struct {
	pattern *regexp.Regexp
	what    string
	instead string
}

// before is what may not stand in front of an absolute path: there it would be
// the path of a URL or the end of a longer one.
const before = `(?:^|[^A-Za-z0-9_.~\-/:}])`

// words are what tells where somebody worked. It is of no use to others, and
// some of it is nobody's business. The patterns are written so that they do not
// find themselves.
var words = []word{
	{
		regexp.MustCompile(before + `/(?:work|root|home/[a-z][a-z0-9_-]*|Users/[A-Za-z][A-Za-z0-9._-]*)/[A-Za-z0-9._]`),
		"names a folder of one machine",
		"write a path relative to the checkout, or take it as an argument",
	},
	{
		regexp.MustCompile(before + `/tmp/[A-Za-z0-9._]`),
		"names a file in the shared temporary folder",
		"use t.TempDir, os.MkdirTemp or mktemp -d",
	},
	{
		regexp.MustCompile(`(?i)https?://[^/\s"'@]*:[^/\s"'@]+@[a-z0-9.-]+\.(?:com|net|org|io|dev|cloud|local|internal|corp|lan)\b`),
		"holds a URL with a password",
		"take it from the environment",
	},
	{
		regexp.MustCompile(`(?i)https?://[a-z0-9.-]*\.(?:internal|corp|lan)(?:[:/]|\b)`),
		"names a host of somebody's private network",
		"use a name below .example, or loopback",
	},
	{
		regexp.MustCompile(`-----BEGIN [A-Z ]*` + `PRIVATE KEY-----`),
		"holds a private key",
		"make one at run time; a test makes its own",
	},
}

// registries are the public hosts a lock file may name.
var registries = []string{"registry.npmjs.org"}

// Words finds text that must never be in the repository: paths of one machine,
// hosts of a private network, keys, and package registries other than the public
// ones. What this package's own tests read is left out.
func (t *Tree) Words() []Finding {
	var found []Finding
	for _, file := range t.Text {
		if strings.HasPrefix(file.Path, "internal/arch/testdata/") {
			continue
		}
		for i, line := range strings.Split(file.Body, "\n") {
			for _, w := range words {
				if m := w.pattern.FindString(line); m != "" {
					found = append(found, Finding{
						Rule: "words", Path: file.Path, Line: i + 1,
						What: fmt.Sprintf("%q %s", strings.TrimSpace(m), w.what), Instead: w.instead,
					})
				}
			}
		}
		found = append(found, foreignRegistry(file)...)
	}
	return found
}

// foreignRegistry finds registries that only one network reaches, where package
// managers note them.
func foreignRegistry(file Text) []Finding {
	var hosts []string
	instead := "set omit-lockfile-registry-resolved=true in .npmrc and make the lock again"
	switch path.Base(file.Path) {
	case "package-lock.json":
		hosts = lockHosts(file.Body)
	case ".npmrc":
		for _, line := range strings.Split(file.Body, "\n") {
			key, value, _ := strings.Cut(line, "=")
			if key = strings.TrimSpace(key); key == "registry" || strings.HasSuffix(key, ":registry") {
				hosts = append(hosts, host(strings.TrimSpace(value)))
			}
		}
		instead = "set the registry in your own ~/.npmrc"
	case "go.mod":
		for _, line := range strings.Split(file.Body, "\n") {
			if _, target, ok := strings.Cut(line, "=>"); ok && strings.HasPrefix(strings.TrimSpace(target), "/") {
				hosts = append(hosts, strings.TrimSpace(target))
			}
		}
		instead = "replace by a published version, or by a path in the checkout"
	}
	var found []Finding
	for _, h := range hosts {
		if h != "" && !slices.Contains(registries, h) {
			found = append(found, Finding{
				Rule: "words", Path: file.Path, Line: lineOf(file.Body, h),
				What: fmt.Sprintf("%q is where only some can fetch from", h), Instead: instead,
			})
		}
	}
	return found
}

// lockHosts returns the hosts that an npm lock file says packages came from.
func lockHosts(body string) []string {
	var lock struct {
		Packages map[string]struct {
			Resolved string `json:"resolved"`
		} `json:"packages"`
	}
	if json.Unmarshal([]byte(body), &lock) != nil {
		return nil // npm says what is wrong with it
	}
	seen := map[string]bool{}
	for _, p := range lock.Packages {
		if h := host(p.Resolved); h != "" {
			seen[h] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// host returns the host of a URL; empty if it has none.
func host(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.Host
}

// lineOf returns the first line that holds s, counting from 1; 1 if none does.
func lineOf(body, s string) int {
	i := strings.Index(body, s)
	if i < 0 {
		return 1
	}
	return 1 + strings.Count(body[:i], "\n")
}
