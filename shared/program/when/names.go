package when

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"regulars/shared/loyalty"
)

// name is one thing that expressions may look at. Each is a variable of its
// own with a dot in its name, so that looking at one makes no object of the
// others.
type name struct {
	kind *cel.Type
	of   func(*loyalty.View) ref.Val // nil where the view has no such thing
}

// names are all of them. Amounts are minor units; those of an order and its
// lines are what is left after discounts and refunds, in its own currency.
var names = map[string]name{
	"order.source":  {cel.StringType, ofOrder(func(_ *loyalty.View, o *loyalty.Order) ref.Val { return types.String(o.Source) })},
	"order.store":   {cel.StringType, ofOrder(func(_ *loyalty.View, o *loyalty.Order) ref.Val { return types.String(o.Store) })},
	"order.region":  {cel.StringType, ofOrder(func(_ *loyalty.View, o *loyalty.Order) ref.Val { return types.String(o.Region) })},
	"order.channel": {cel.StringType, ofOrder(func(_ *loyalty.View, o *loyalty.Order) ref.Val { return types.String(o.Channel) })},
	"order.number":  {cel.IntType, ofOrder(func(v *loyalty.View, _ *loyalty.Order) ref.Val { return types.Int(v.Facts.Number) })},
	"order.amount": {cel.IntType, ofOrder(func(v *loyalty.View, o *loyalty.Order) ref.Val {
		return total(o, func(i int) int64 { return v.Left[i] })
	})},
	"order.quantity": {cel.IntType, ofOrder(func(v *loyalty.View, o *loyalty.Order) ref.Val {
		return total(o, func(i int) int64 { return pieces(v, i) })
	})},

	"line.id":         {cel.StringType, ofLine(func(_ *loyalty.View, l *loyalty.Line) ref.Val { return types.String(l.ID) })},
	"line.sku":        {cel.StringType, ofLine(func(_ *loyalty.View, l *loyalty.Line) ref.Val { return types.String(l.SKU) })},
	"line.title":      {cel.StringType, ofLine(func(_ *loyalty.View, l *loyalty.Line) ref.Val { return types.String(l.Title) })},
	"line.category":   {cel.StringType, ofLine(func(_ *loyalty.View, l *loyalty.Line) ref.Val { return types.String(l.Category) })},
	"line.collection": {cel.StringType, ofLine(func(_ *loyalty.View, l *loyalty.Line) ref.Val { return types.String(l.Collection) })},
	"line.amount":     {cel.IntType, ofLine(func(v *loyalty.View, _ *loyalty.Line) ref.Val { return types.Int(v.Left[v.Line]) })},
	"line.quantity":   {cel.IntType, ofLine(func(v *loyalty.View, _ *loyalty.Line) ref.Val { return types.Int(pieces(v, v.Line)) })},
	"line.unit_price": {cel.IntType, ofLine(func(_ *loyalty.View, l *loyalty.Line) ref.Val { return types.Int(l.UnitPrice) })},

	"member.tier":       {cel.StringType, func(v *loyalty.View) ref.Val { return types.String(v.Facts.Tier) }},
	"member.qualifying": {cel.IntType, func(v *loyalty.View) ref.Val { return types.Int(v.Facts.Qualifying) }},
	"member.segments":   {cel.ListType(cel.StringType), func(v *loyalty.View) ref.Val { return types.NewStringList(types.DefaultTypeAdapter, v.Facts.Segments) }},
	"member.attributes": {texts, func(v *loyalty.View) ref.Val {
		return types.NewStringStringMap(types.DefaultTypeAdapter, v.Facts.Attributes)
	}},

	"activity.type":   {cel.StringType, ofActivity(func(a *loyalty.Activity) ref.Val { return types.String(a.Type) })},
	"activity.key":    {cel.StringType, ofActivity(func(a *loyalty.Activity) ref.Val { return types.String(a.Key) })},
	"activity.store":  {cel.StringType, ofActivity(func(a *loyalty.Activity) ref.Val { return types.String(a.Store) })},
	"activity.amount": {cel.IntType, ofActivity(func(a *loyalty.Activity) ref.Val { return types.Int(a.Amount) })},
	"activity.data":   {texts, ofActivity(func(a *loyalty.Activity) ref.Val { return types.NewStringStringMap(types.DefaultTypeAdapter, a.Data) })},

	// When it counts as earned; its getHours, getDayOfWeek (0 is Sunday) and the
	// like are those of the program's zone. getMonth is from 0, as CEL has it.
	"now": {cel.TimestampType, func(v *loyalty.View) ref.Val { return types.Timestamp{Time: v.At} }},
}

var texts = cel.MapType(cel.StringType, cel.StringType)

func ofOrder(of func(*loyalty.View, *loyalty.Order) ref.Val) func(*loyalty.View) ref.Val {
	return func(v *loyalty.View) ref.Val {
		if v.Order == nil {
			return nil
		}
		return of(v, v.Order)
	}
}

func ofLine(of func(*loyalty.View, *loyalty.Line) ref.Val) func(*loyalty.View) ref.Val {
	return ofOrder(func(v *loyalty.View, o *loyalty.Order) ref.Val { return of(v, &o.Lines[v.Line]) })
}

func ofActivity(of func(*loyalty.Activity) ref.Val) func(*loyalty.View) ref.Val {
	return func(v *loyalty.View) ref.Val {
		if v.Activity == nil {
			return nil
		}
		return of(v.Activity)
	}
}

func total(o *loyalty.Order, of func(line int) int64) ref.Val {
	var n int64
	for i := range o.Lines {
		n += of(i)
	}
	return types.Int(n)
}

// pieces are those of a line that did not come back; none of a gift card,
// which is not goods, and none when nothing of the line's amount is left.
func pieces(v *loyalty.View, line int) int64 {
	if v.Left[line] == 0 {
		return 0
	}
	l := &v.Order.Lines[line]
	return max(0, l.Quantity-l.RefundedQuantity)
}

// look lets an expression look at a view without a copy: only what it names
// is made a value.
type look loyalty.View

// ResolveName implements interpreter.Activation.
func (l *look) ResolveName(s string) (any, bool) {
	n, known := names[s]
	if !known {
		return nil, false
	}
	x := n.of((*loyalty.View)(l))
	return x, x != nil
}

// Parent implements interpreter.Activation.
func (*look) Parent() interpreter.Activation { return nil }
