package lang

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// complaints are what is wrong in a file that is no playbook (policies, notifications), each at its place.
type complaints struct{ diags hcl.Diagnostics }

func (c *complaints) fail(where hcl.Range, summary, format string, args ...any) {
	c.diags = append(c.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &where})
}

// wrong blames the value of an argument, or the block where the argument is not written.
func (c *complaints) wrong(b *hclsyntax.Block, attr, format string, args ...any) {
	where := b.DefRange()
	if a := b.Body.Attributes[attr]; a != nil {
		where = a.Expr.Range()
	}
	c.fail(where, "Wrong value", format, args...)
}

// duration reads a length of time.
func (c *complaints) duration(b *hclsyntax.Block, attr, text string) time.Duration {
	d, bad := positive(attr, text)
	if bad != nil {
		c.wrong(b, attr, "%s.", bad.Error())
	}
	return d
}
