package api

import (
	"context"
	"net/http"

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

// pictures adds the operation that takes in a picture.
func (a *API) pictures() {
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
