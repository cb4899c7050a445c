package api

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"rapport/internal/keys"
	"rapport/internal/program"
	"rapport/internal/studio/picture"
)

// pictureTaken is a picture that the library holds.
type pictureTaken struct {
	Line   string `json:"line" doc:"What stands for it in the definitions, as the body of a file such as pictures/lamp.jpg."`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// pictureShown is a picture of the definitions.
type pictureShown struct {
	Name   string        `json:"name" example:"brass-lamp.jpg" doc:"Templates show it as pictures/NAME, or pictures/SIZE/NAME."`
	Line   string        `json:"line" doc:"The body of its file in the definitions."`
	Alt    string        `json:"alt,omitempty" doc:"What it shows, for those who do not see it; absent: nobody said."`
	Width  int           `json:"width"`
	Height int           `json:"height"`
	Sizes  []pictureSize `json:"sizes" doc:"In which it is kept, the smallest first."`
	Used   []string      `json:"used" doc:"Files that show it."`
}

type pictureSize struct {
	Name  string `json:"name"`
	Width int    `json:"width"`
	URL   string `json:"url" doc:"On this server."`
}

// shown finds where a file of definitions names a picture.
var shown = regexp.MustCompile(`pictures/(?:[a-z]+/)?([A-Za-z0-9._-]+)`)

func (a *API) pictureList(ctx context.Context, in *Paging) (*body[page[pictureShown]], error) {
	pr, err := a.inForce(ctx)
	if err != nil {
		return nil, err
	}
	used := map[string][]string{}
	for _, f := range pr.Source.Files() {
		if strings.HasPrefix(f.Path, picture.Folder+"/") {
			continue
		}
		for _, m := range shown.FindAllStringSubmatch(f.Body, -1) {
			if !slices.Contains(used[m[1]], f.Path) {
				used[m[1]] = append(used[m[1]], f.Path)
			}
		}
	}
	list := []pictureShown{}
	for name, i := range pr.Source.Pictures() { // order does not matter: they are sorted
		v := pictureShown{Name: name, Line: i.String(), Alt: i.Alt, Width: i.Width, Height: i.Height, Used: append([]string{}, used[name]...)}
		for _, s := range picture.Sizes {
			v.Sizes = append(v.Sizes, pictureSize{s.Name, min(s.Width, i.Width), "/i/" + i.Name(s)})
		}
		list = append(list, v)
	}
	slices.SortFunc(list, func(x, y pictureShown) int { return strings.Compare(x.Name, y.Name) })
	return answer(keep(list, *in, "pictures", func(p *pictureShown) string { return p.Name }))
}

// pictures adds the operations about pictures.
func (a *API) pictures() {
	route(a, get("/pictures", "definitions", "List the pictures of the definitions", "In order of their names, each with its sizes and where it is used. A picture is put in and taken out by its file in the definitions."), a.pictureList)
	route(a, operation{
		method: http.MethodPost, path: "/pictures", scope: keys.Edit, tag: "definitions", status: http.StatusCreated, maxBody: picture.MaxBytes,
		summary: "Take in a picture that definitions show", about: "PNG, JPEG, GIF or WebP. It is made anew in every size; the same picture twice is one.",
	}, func(ctx context.Context, in *struct{ RawBody []byte }) (*body[pictureTaken], error) {
		i, err := a.o.Pictures.Add(ctx, in.RawBody)
		if err != nil {
			return nil, err
		}
		return answer(pictureTaken{i.String(), i.Width, i.Height}, nil)
	})
}

// lacking returns a problem that names the pictures of definitions which the
// library does not hold; nil if it holds all.
func (a *API) lacking(src *program.Source) error {
	names, err := a.o.Pictures.Lacks(src.Pictures())
	if err != nil || len(names) == 0 {
		return err
	}
	p := &problem{Status: http.StatusBadRequest, Detail: "the library does not hold every picture of the definitions: POST " + Prefix + "/pictures takes them in"}
	for _, name := range names[:min(len(names), maxDefects)] {
		p.Errors = append(p.Errors, defect{picture.Folder + "/" + name, "is not in the library"})
	}
	return p
}
