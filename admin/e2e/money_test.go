package e2e

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// An amount that passed through a float is no longer exact. So no code of ours has
// a float: no type, no literal, no conversion, no function of package math that
// works on one. Only what Prometheus is told is in floats, for it knows nothing else:
// that is counts and bytes, and no amount.
func TestNoFloatComesNearAnAmount(t *testing.T) {
	read := 0
	for file := range sourceFiles(t) {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(filepath.ToSlash(file), "server/metrics/") {
			continue
		}
		read++
		set := token.NewFileSet()
		tree, err := parser.ParseFile(set, filepath.Join(root, file), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range floatsIn(tree) {
			t.Errorf("%s: %s", set.Position(found.pos), found.what)
		}
	}
	if read < 100 {
		t.Errorf("only %d files were read", read)
	}
}

type float struct {
	pos  token.Pos
	what string
}

func floatsIn(tree *ast.File) (found []float) {
	names := map[string]string{"float32": "a float", "float64": "a float", "complex64": "a float", "complex128": "a float"}
	members := map[string]bool{
		"strconv.ParseFloat": true, "strconv.FormatFloat": true, "strconv.AppendFloat": true, "big.Float": true, "big.NewFloat": true,
		"math.Round": true, "math.RoundToEven": true, "math.Floor": true, "math.Ceil": true, "math.Trunc": true, "math.Pow": true, "math.Abs": true,
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if names[n.Name] != "" {
				found = append(found, float{n.Pos(), "uses " + n.Name})
			}
		case *ast.BasicLit:
			if n.Kind == token.FLOAT {
				found = append(found, float{n.Pos(), "has the float " + n.Value})
			}
		case *ast.SelectorExpr:
			if pkg, ok := n.X.(*ast.Ident); ok && members[pkg.Name+"."+n.Sel.Name] {
				found = append(found, float{n.Pos(), "calls " + pkg.Name + "." + n.Sel.Name})
			}
		}
		return true
	})
	return found
}

// The check above finds what it looks for.
func TestFloatsAreFound(t *testing.T) {
	for source, want := range map[string]int{
		"var x = 0.5": 1, "func f(c int64) int64 { return int64(float64(c) * 0.3) }": 2, "var y = strconv.ParseFloat": 1,
		"var z float32": 1, "var i = 5": 0, "var e = 1e3": 1,
	} {
		tree, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := floatsIn(tree); len(got) != want {
			t.Errorf("%s: found %v, want %d", source, got, want)
		}
	}
}
