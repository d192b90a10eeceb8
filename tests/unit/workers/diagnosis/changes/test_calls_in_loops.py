"""Queries and requests that a change makes once for each item, or newly on the way of a request."""

from __future__ import annotations

import pytest

from detection.types import SymptomKind
from tests.unit.workers.diagnosis.changes.reading import read, strength_of, strongest
from workers.diagnosis.changes import Delay, EffectKind

K = EffectKind
LOOPED = (K.QUERY_IN_LOOP, K.CALL_IN_LOOP)

ONE_EACH = [
    (
        "a.go",
        "-\tfor _, o := range orders {\n-\t\to.Name = o.CustomerName\n-\t}\n+\tfor _, o := "
        "range orders {\n+\t\tc, err := s.customers.Get(ctx, o.CustomerID)\n+\t\tif err != nil "
        "{\n+\t\t\treturn err\n+\t\t}\n+\t\to.Name = c.Name\n+\t}",
    ),
    (
        "a.py",
        " for order in orders:\n-    rows.append(order.total)\n+    user = "
        "User.objects.get(id=order.user_id)\n+    rows.append((user.name, order.total))",
    ),
    ("a.py", "-    names = [o.name for o in orders]\n+    names = [client.get_user(o.user_id).name for o in orders]"),
    ("a.ts", "-  return items.map(i => i.price)\n+  return Promise.all(items.map(i => pricingClient.getPrice(i.id)))"),
    (
        "a.js",
        " for (const item of cart.items) {\n-  total += item.price\n+  const product = await "
        "db.query('SELECT price FROM products WHERE id = $1', [item.id])\n+  total += "
        "product.price\n }",
    ),
    (
        "A.java",
        " for (Order o : orders) {\n-    names.add(o.getName());\n+    "
        "names.add(customerRepository.findById(o.getCustomerId()).getName());\n }",
    ),
    (
        "A.java",
        "-    return orders.stream().map(Order::getTotal).toList();\n+    return "
        "orders.stream().map(o -> restTemplate.getForObject(url + o.getId(), "
        "Total.class)).toList();",
    ),
    (
        "a.kt",
        "-    val names = orders.map { it.name }\n+    val names = orders.map { "
        "customerClient.fetch(it.customerId).name }",
    ),
    (
        "a.rb",
        " orders.each do |order|\n-  puts order.name\n+  order.name = Customer.find(order.customer_id).name\n end",
    ),
    (
        "a.php",
        " foreach ($orders as $order) {\n-    $names[] = $order->name;\n+    $names[] = "
        "$this->customerRepository->find($order->customerId)->name;\n }",
    ),
    (
        "A.cs",
        " foreach (var order in orders)\n {\n-    names.Add(order.Name);\n+    var c = await "
        "_db.Customers.FindAsync(order.CustomerId);\n+    names.Add(c.Name);\n }",
    ),
    (
        "a.rs",
        " for order in &orders {\n-    names.push(order.name.clone());\n+    let c = "
        'sqlx::query("SELECT name FROM customers WHERE id = '
        '$1").bind(order.id).fetch_one(&pool).await?;\n+    names.push(c.name);\n }',
    ),
    ("a.py", "-    orders = Order.objects.select_related('customer').all()\n+    orders = Order.objects.all()"),
    ("a.rb", "-  orders = Order.includes(:customer).where(open: true)\n+  orders = Order.where(open: true)"),
    (
        "A.java",
        "-    List<User> users = userRepository.findAllById(ids);\n+    List<User> users = "
        "ids.stream().map(id -> userRepository.findById(id).orElseThrow()).toList();",
    ),
]


@pytest.mark.parametrize(("path", "diff"), ONE_EACH)
def test_a_query_or_request_for_each_item_is_the_strongest_effect(path: str, diff: str) -> None:
    effect = read(path, f"@@ -1,5 +1,6 @@\n{diff}").effects[0]

    assert effect.kind in LOOPED
    assert effect.strength >= 0.7
    assert SymptomKind.LATENCY in effect.causes
    assert SymptomKind.TRAFFIC in effect.causes_in_callees
    assert effect.delay is Delay.UNDER_LOAD


NOT_EACH = [
    (
        "a.go",
        "-\tfor _, o := range orders {\n-\t\tc, err := s.customers.Get(ctx, o.CustomerID)\n"
        "-\t\tuse(c, err)\n-\t}\n+\tcs, err := s.customers.GetMany(ctx, ids(orders))\n"
        "+\tuse(cs, err)",
    ),
    ("a.go", "-\tfor _, o := range orders {\n+\tfor _, o := range s.store.List(ctx) {\n \t\tuse(o)\n \t}"),
    ("a.py", " for order in orders:\n-    total += order.price\n+    total += order.price * order.quantity"),
    ("a.py", " for order in orders:\n-    user = users.get(order.user_id)\n+    user = users[order.user_id]"),
    ("a.js", " for (const item of items) {\n-  total += item.price\n+  total += Math.round(item.price)\n }"),
    (
        "a.go",
        " \tfor _, o := range orders {\n-\t\tc, err := s.customers.Get(ctx, o.CustomerID)\n"
        "+\t\tcustomer, err := s.customers.Get(ctx, o.CustomerID)\n \t}",
    ),
    ("A.java", " for (Order o : orders) {\n-    names.add(o.getName());\n+    names.add(o.getName().trim());\n }"),
    ("a.rb", " orders.each do |order|\n-  names << order.name\n+  names << order.name.strip\n end"),
    (
        "a.go",
        "+\tfor attempt := 0; attempt < 3; attempt++ {\n+\t\tresp, err := client.Do(req)\n"
        "+\t\tif err == nil {\n+\t\t\treturn resp, nil\n+\t\t}\n+\t}",
    ),
]


@pytest.mark.parametrize(("path", "diff"), NOT_EACH)
def test_work_in_memory_and_loops_that_stay_as_they_were_are_no_calls_in_a_loop(path: str, diff: str) -> None:
    reading = read(path, f"@@ -1,5 +1,6 @@\n{diff}")

    assert max(strength_of(reading, kind) for kind in LOOPED) <= 0.4


def test_the_query_of_the_called_function_gives_its_table_to_the_words() -> None:
    diff = """
    @@ orders/assemble.go: func (a *Assembler) Assemble(ctx context.Context) error {
    -	for _, l := range lines {
    -		out = append(out, l.Name)
    -	}
    +	for _, l := range lines {
    +		p, err := a.products.Load(ctx, l.ID)
    +		out = append(out, p.Name)
    +	}
    @@ orders/products.go: new method
    +func (p *products) Load(ctx context.Context, id string) (*Product, error) {
    +	return scan(p.db.QueryRowContext(ctx, "SELECT * FROM warehouse_products WHERE id = $1", id))
    +}
    """
    effect = read("orders/assemble.go", diff).effects[0]

    assert effect.kind is K.QUERY_IN_LOOP
    assert "warehouse_products" in effect.words
    assert effect.path == "orders/assemble.go"


def test_a_new_request_on_a_known_way_is_weaker_than_one_in_a_loop() -> None:
    diff = "@@ -1,3 +1,4 @@\n def checkout(cart):\n+    score = fraud_client.check(cart.user_id)\n     return pay(cart)"
    effect = read("checkout.py", diff).effects[0]

    assert effect.kind is K.CALL_ADDED
    assert 0.4 <= effect.strength <= 0.5
    assert "fraud" in effect.words


def test_a_call_that_only_moves_is_not_new() -> None:
    diff = "@@ -1,5 +1,5 @@\n-\tres, err := s.store.Find(ctx, id)\n+\tresult, err := s.store.Find(ctx, id)\n \tuse(id)"

    assert strongest(read("a.go", diff)) <= 0.2
