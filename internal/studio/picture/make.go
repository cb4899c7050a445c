package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"rapport/internal/fault"
)

// quality is the JPEG quality of what is served: above it, files grow and nobody
// sees why.
const quality = 82

// Make returns the picture in every size, as it is served, by the order of
// [Sizes]. It reads what Inspect accepted; other bytes are refused as there.
func Make(b []byte) (Info, [][]byte, error) {
	i, err := Inspect(b)
	if err != nil {
		return Info{}, nil, err
	}
	if i.Ext == "gif" {
		body, err := animation(b)
		if err != nil {
			return Info{}, nil, err
		}
		made := make([][]byte, len(Sizes))
		for k := range made {
			made[k] = body // its frames build upon one another, so it keeps its size
		}
		return i, made, nil
	}
	m, err := decode(b)
	if err != nil {
		return Info{}, nil, err
	}
	m = upright(m, b)
	made := make([][]byte, len(Sizes))
	for k := len(Sizes) - 1; k >= 0; k-- {
		m = shrink(m, Sizes[k].Width) // from the next larger: as good, and much faster
		var out bytes.Buffer
		if i.Ext == "jpg" {
			err = jpeg.Encode(&out, m, &jpeg.Options{Quality: quality})
		} else {
			err = png.Encode(&out, m)
		}
		if err != nil {
			return Info{}, nil, fmt.Errorf("writing a picture: %w", err)
		}
		made[k] = out.Bytes()
	}
	return i, made, nil
}

// decode reads one picture; Inspect has told its format and size.
func decode(b []byte) (m image.Image, err error) {
	r := bytes.NewReader(b)
	switch {
	case b[0] == 0x89:
		m, err = png.Decode(r)
	case b[0] == 0xff:
		m, err = jpeg.Decode(r)
	case b[0] == 'G':
		m, err = gif.Decode(r)
	default:
		m, err = webp.Decode(r)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the picture is damaged: save it anew")
	}
	return m, nil
}

// animation writes a GIF anew, without what is not picture.
func animation(b []byte) ([]byte, error) {
	g, err := gif.DecodeAll(bytes.NewReader(b))
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the animation is damaged: save it anew")
	}
	var out bytes.Buffer
	if err := gif.EncodeAll(&out, g); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the animation is damaged: save it anew")
	}
	return out.Bytes(), nil
}

// shrink returns the picture no wider than width.
func shrink(m image.Image, width int) image.Image {
	b := m.Bounds()
	if b.Dx() <= width {
		return m
	}
	height := max(1, (b.Dy()*width+b.Dx()/2)/b.Dx())
	to := image.NewRGBA(image.Rect(0, 0, width, height)) // for this kind alone, scaling is fast
	draw.CatmullRom.Scale(to, to.Bounds(), m, b, draw.Src, nil)
	return to
}

// upright returns the picture as its camera was held.
func upright(m image.Image, b []byte) image.Image {
	if b[0] != 0xff {
		return m
	}
	turn := orientation(b)
	if turn == 1 {
		return m
	}
	box := m.Bounds()
	w, h := box.Dx(), box.Dy()
	// where says from where a pixel of the result comes.
	where := map[int]func(x, y int) (int, int){
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - 1 - x },
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y int) (int, int) { return w - 1 - y, x },
	}[turn]
	if turn >= 5 {
		w, h = h, w
	}
	to := image.NewNRGBA(image.Rect(0, 0, w, h))
	w, h = box.Dx(), box.Dy()
	for y := range to.Rect.Dy() {
		for x := range to.Rect.Dx() {
			fx, fy := where(x, y)
			to.Set(x, y, m.At(box.Min.X+fx, box.Min.Y+fy))
		}
	}
	return to
}
