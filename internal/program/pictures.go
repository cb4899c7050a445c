package program

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"

	"rapport/internal/core/content"
	"rapport/internal/core/spec"
	"rapport/internal/fault"
	"rapport/internal/studio/code"
	"rapport/internal/studio/picture"
)

// picturesURL is the variable that says where the library serves its pictures. A
// template does not write it: it names pictures/lamp.jpg.
const picturesURL = "pictures_url"

// media gives a rendering what it needs to show pictures and codes.
func media(env *content.Env, links Media) {
	env.Shared[picturesURL] = links.Picture("")
	env.Code = links.Code
}

// readPicture returns a picture of a folder of definitions as a definition: one
// line that says what it is. The picture itself goes to the library.
func readPicture(fsys fs.FS, name string) (File, error) {
	body, err := picture.Read(fsys, name)
	if err != nil {
		return File{}, err
	}
	if line, stands := picture.ParseInfo(string(body)); stands {
		return File{name, line.String()}, nil // an export wrote it: the library has the picture
	}
	info, err := picture.Inspect(body)
	if err != nil {
		kind, why := fault.Of(err)
		return File{}, fault.New(kind, name+": "+why)
	}
	return File{name, info.String()}, nil
}

// Pictures returns what the pictures of a source are, by their file names.
func (s *Source) Pictures() map[string]picture.Info {
	all := map[string]picture.Info{}
	for _, f := range s.files {
		if dir, base := path.Split(f.Path); dir == picture.Folder+"/" {
			if i, ok := picture.ParseInfo(f.Body); ok {
				all[base] = i
			}
		}
	}
	return all
}

// isPicture reports whether a file of a folder of definitions is a picture, or
// wants to be one.
func isPicture(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".avif", ".heic", ".bmp", ".tif", ".tiff":
		return path.Dir(name) == picture.Folder
	}
	return false
}

// picture reads one file of the folder of pictures.
func (c *compiler) picture(f File) {
	base := path.Base(f.Path)
	info, ok := picture.ParseInfo(f.Body)
	switch {
	case !picture.Named(base):
		c.ps.Add(spec.Pos{File: f.Path}, picture.Folder+"/brass-lamp.jpg", "the name of a picture has small letters, digits, dots and dashes, and ends in jpg, png, gif or webp")
	case !ok:
		c.ps.Add(spec.Pos{File: f.Path}, "the picture itself, in the folder "+picture.Folder, "this does not say what picture it is")
	default:
		if c.p.Pictures == nil {
			c.p.Pictures = map[string]picture.Info{}
		}
		c.p.Pictures[base] = info
	}
}

// Picture returns the address at which a picture is served.
func (d dead) Picture(name string) string { return d.base() + "/i/" + name }

// Code returns an address that shows nothing, of a code that could be drawn.
func (d dead) Code(kind, text, level string) (string, error) {
	return d.base() + "/k/test.png", code.Check(code.Kind(kind), text, level)
}

// Where a template names a picture: pictures/lamp.jpg, or pictures/card/lamp.jpg in
// a size; and the tags in which that may stand.
var (
	pictureName = regexp.MustCompile(`(["'(=]\s*)pictures/(?:([a-z]+)/)?([A-Za-z0-9._-]+)`)
	tagPieces   = regexp.MustCompile(`(?s)<!--.*?-->|\{\{.*?\}\}|\{%.*?%\}|<[A-Za-z/](?:\{\{.*?\}\}|\{%.*?%\}|"[^"]*"|'[^']*'|[^"'>])*>`)
	imgTag      = regexp.MustCompile(`(?i)^<img[\s/>]`)
	altWord     = regexp.MustCompile(`(?i)[\s"']alt\s*=`)
	widthWord   = regexp.MustCompile(`(?i)[\s"']width\s*=\s*["']?([0-9]+)(?:px)?["'\s/>]`)
	emptied     = regexp.MustCompile(`(?s)\{\{.*?\}\}|\{%.*?%\}`)
)

// pictured gives the pictures in a part their addresses and finds those that have
// no words for people who do not see them. The part keeps its lines.
func (c *compiler) pictured(p *part) *part {
	if strings.HasSuffix(p.file.Path, ".txt.liquid") {
		return p
	}
	var b strings.Builder
	done := 0
	line := func(at int) spec.Pos {
		return spec.Pos{File: p.file.Path, Line: p.first + strings.Count(p.body[:at], "\n")}
	}
	for _, at := range tagPieces.FindAllStringIndex(p.body, -1) {
		tag := p.body[at[0]:at[1]]
		if tag[0] != '<' || strings.HasPrefix(tag, "<!--") {
			continue
		}
		b.WriteString(c.addressed(p.body[done:at[0]], line(done), 0))
		if imgTag.MatchString(tag) && !altWord.MatchString(emptied.ReplaceAllString(tag, "")) {
			c.ps.Add(line(at[0]), `alt="A brass desk lamp", or alt="" if it only decorates`, "the picture has no words for those who do not see it")
		}
		width := 0
		if m := widthWord.FindStringSubmatch(tag); m != nil {
			width, _ = strconv.Atoi(m[1]) // digits; too many of them ask for the largest
		}
		b.WriteString(c.addressed(tag, line(at[0]), width))
		done = at[1]
	}
	b.WriteString(c.addressed(p.body[done:], line(done), 0))
	p.body = b.String()
	return p
}

// addressed replaces the names of pictures in a text. A picture that is shown at a
// width is taken in the size that is sharp there, others in the largest.
func (c *compiler) addressed(text string, pos spec.Pos, width int) string {
	if !strings.Contains(text, "pictures/") {
		return text
	}
	return pictureName.ReplaceAllStringFunc(text, func(s string) string {
		m := pictureName.FindStringSubmatch(s)
		info, there := c.p.Pictures[m[3]]
		if !there {
			names := sortedKeys(c.p.Pictures)
			instead := nearest(m[3], names)
			if instead == "" {
				instead = "a file " + picture.Folder + "/" + m[3]
			}
			c.ps.Add(pos, instead, "there is no picture %s in the folder %s", m[3], picture.Folder)
			return s
		}
		size := picture.Sizes[len(picture.Sizes)-1]
		if width > 0 {
			size = info.Fit(width)
		}
		if m[2] != "" {
			var names []string
			found := false
			for _, z := range picture.Sizes {
				names = append(names, z.Name)
				if z.Name == m[2] {
					size, found = z, true
				}
			}
			if !found {
				c.ps.Add(pos, fmt.Sprintf("%s/%s/%s", picture.Folder, meant(m[2], names), m[3]), "there is no size %q of a picture", m[2])
			}
		}
		return m[1] + "{{ " + picturesURL + " }}" + info.Name(size)
	})
}
