"""Sixty harmless changes in many languages, each with the words of something that breaks: (what it is, path, diff)."""

from __future__ import annotations

PYTHON = [
    (
        "a condition in one line",
        "cart/api.py",
        """
         def total(cart):
        -    if cart.discount:
        -        amount = cart.sum - cart.discount
        -    else:
        -        amount = cart.sum
        +    amount = cart.sum - cart.discount if cart.discount else cart.sum
             return amount
    """,
    ),
    (
        "a function taken out",
        "cart/api.py",
        """
         def handle(request):
        -    total = sum(line.price * line.count for line in request.lines)
        +    total = _sum_of(request.lines)
             return respond(total)
        +
        +
        +def _sum_of(lines):
        +    return sum(line.price * line.count for line in lines)
    """,
    ),
    (
        "types written down",
        "cart/api.py",
        """
        -def price(sku, country):
        +def price(sku: str, country: str) -> Decimal:
             return table.price(sku, country)
    """,
    ),
    (
        "a dataclass for a tuple",
        "cart/model.py",
        """
        -Point = namedtuple("Point", ["x", "y"])
        +@dataclass(frozen=True)
        +class Point:
        +    x: int
        +    y: int
    """,
    ),
    (
        "f-strings",
        "cart/api.py",
        """
        -    return "order %s of %s" % (order.id, order.user)
        +    return f"order {order.id} of {order.user}"
    """,
    ),
    (
        "a comprehension",
        "cart/api.py",
        """
         def skus(cart):
        -    found = []
        -    for line in cart.lines:
        -        found.append(line.sku)
        -    return found
        +    return [line.sku for line in cart.lines]
    """,
    ),
    (
        "a loop for a comprehension",
        "cart/api.py",
        """
         def skus(cart):
        -    return [line.sku for line in cart.lines]
        +    found = []
        +    for line in cart.lines:
        +        found.append(line.sku)
        +    return found
    """,
    ),
    (
        "pathlib",
        "cart/files.py",
        """
        -    path = os.path.join(folder, name)
        +    path = Path(folder) / name
    """,
    ),
    (
        "an early return",
        "cart/api.py",
        """
         def handle(request):
        -    if request.user:
        -        return greet(request.user)
        -    return login()
        +    if not request.user:
        +        return login()
        +    return greet(request.user)
    """,
    ),
    (
        "a constant with a name",
        "cart/api.py",
        """
        +RETRY_LIMIT = 3
        +
         def fetch(client):
        -    for attempt in range(3):
        +    for attempt in range(RETRY_LIMIT):
                 result = client.get(URL)
    """,
    ),
    (
        "a guard more",
        "cart/api.py",
        """
         def ship(order):
        +    if order.address is None:
        +        return None
             return carrier.ship(order.address)
    """,
    ),
    (
        "a metric of the queue",
        "worker/consume.py",
        """
         def consume(message):
        +    QUEUE_DEPTH.set(queue.depth())
             process(message)
    """,
    ),
    (
        "a list of the answer",
        "search/api.py",
        """
         def search(request):
             hits = []
             for row in rows:
                 if row.visible:
        -            hits.append(row.as_dict())
        +            hits.append(row.to_dict())
             return hits
    """,
    ),
]

GO = [
    (
        "errors wrapped",
        "cart/api.go",
        """
             order, err := s.store.Load(ctx, id)
             if err != nil {
        -        return nil, err
        +        return nil, fmt.Errorf("load order %s: %w", id, err)
             }
    """,
    ),
    (
        "a receiver with another name",
        "cart/api.go",
        """
        -func (s *Service) Total(c Cart) int {
        -    return s.sum(c)
        +func (svc *Service) Total(c Cart) int {
        +    return svc.sum(c)
         }
    """,
    ),
    (
        "any for interface{}",
        "cart/json.go",
        """
        -func encode(v interface{}) ([]byte, error) {
        +func encode(v any) ([]byte, error) {
             return json.Marshal(v)
    """,
    ),
    (
        "a helper that answers errors",
        "cart/http.go",
        """
             req, err := decode(r)
             if err != nil {
        -        http.Error(w, err.Error(), http.StatusBadRequest)
        +        h.writeError(w, err, http.StatusBadRequest)
                 return
             }
    """,
    ),
    (
        "a struct of options",
        "cart/client.go",
        """
        -func NewClient(url string, timeout time.Duration) *Client {
        -    return &Client{url: url, timeout: timeout}
        +func NewClient(o Options) *Client {
        +    return &Client{url: o.URL, timeout: o.Timeout}
         }
    """,
    ),
    (
        "a slice made with its length",
        "cart/list.go",
        """
        -    names := []string{}
        +    names := make([]string, 0, len(items))
             for _, item := range items {
                 names = append(names, item.Name)
    """,
    ),
    (
        "strings.Builder",
        "cart/list.go",
        """
        -    s := ""
        +    var s strings.Builder
             for _, item := range items {
        -        s += item.Name
        +        s.WriteString(item.Name)
             }
    """,
    ),
    (
        "a switch for ifs",
        "cart/kind.go",
        """
        -    if kind == "card" {
        -        return 1
        -    } else if kind == "sepa" {
        -        return 2
        -    }
        -    return 0
        +    switch kind {
        +    case "card":
        +        return 1
        +    case "sepa":
        +        return 2
        +    default:
        +        return 0
        +    }
    """,
    ),
    (
        "a deferred unlock",
        "cart/memory.go",
        """
         func (m *Memory) Get(key string) Value {
             m.mu.Lock()
        -    value := m.values[key]
        -    m.mu.Unlock()
        -    return value
        +    defer m.mu.Unlock()
        +    return m.values[key]
         }
    """,
    ),
    (
        "a log line in a lock",
        "cart/memory.go",
        """
             m.mu.Lock()
             defer m.mu.Unlock()
        +    slog.Debug("timeout waiting for lock", "key", key)
             return m.values[key]
    """,
    ),
    (
        "a body that is closed in time",
        "cart/client.go",
        """
             res, err := c.http.Do(req)
             if err != nil {
                 return err
             }
        +    defer res.Body.Close()
    """,
    ),
    (
        "a counter by label",
        "cart/metrics.go",
        """
        -    requests.Inc()
        +    requests.WithLabelValues(outcome).Inc()
    """,
    ),
    (
        "a test helper",
        "cart/cart_test.go",
        """
        +func TestTimeoutIsCut(t *testing.T) {
        +    time.Sleep(3 * time.Second)
        +}
    """,
    ),
]

SCRIPT = [
    (
        "const for let",
        "shop/cart.ts",
        """
        -  let total = sum(cart.lines)
        +  const total = sum(cart.lines)
           return total
    """,
    ),
    (
        "an arrow function",
        "shop/cart.ts",
        """
        -export function label(item: Item) {
        -  return item.name
        -}
        +export const label = (item: Item) => item.name
    """,
    ),
    (
        "async for then",
        "shop/cart.ts",
        """
        -export function load(id: string) {
        -  return api.cart(id).then((cart) => view(cart))
        -}
        +export async function load(id: string) {
        +  const cart = await api.cart(id)
        +  return view(cart)
        +}
    """,
    ),
    (
        "an interface for an object",
        "shop/options.ts",
        """
        -export const reserveOptions = { retries: 2, minTimeout: 250 };
        +interface RetryOptions { retries: number; minTimeout: number }
        +export const reserveOptions: RetryOptions = { retries: 2, minTimeout: 250 };
    """,
    ),
    (
        "destructuring",
        "shop/cart.js",
        """
        -  const name = props.name
        -  const price = props.price
        +  const { name, price } = props
    """,
    ),
    (
        "a key of a list",
        "shop/List.tsx",
        """
        -      {items.map((item) => <Row item={item} />)}
        +      {items.map((item) => <Row key={item.id} item={item} />)}
    """,
    ),
    (
        "an optional chain more",
        "shop/cart.ts",
        """
        -  const city = order.address.city
        +  const city = order.address?.city
    """,
    ),
    (
        "a listener with its end",
        "shop/useSize.ts",
        """
           useEffect(() => {
        -    window.onresize = update
        +    window.addEventListener('resize', update)
        +    return () => window.removeEventListener('resize', update)
           }, [])
    """,
    ),
    (
        "imports in order",
        "shop/cart.ts",
        """
        -import { b } from './b'
         import { a } from './a'
        +import { b } from './b'
    """,
    ),
    (
        "a text for people",
        "shop/Cart.tsx",
        """
        -      <p>Your cart is empty</p>
        +      <p>There is nothing in your cart yet</p>
    """,
    ),
    (
        "a map for a switch",
        "shop/icons.ts",
        """
        -  switch (kind) {
        -    case 'card': return Card
        -    case 'sepa': return Bank
        -    default: return Coin
        -  }
        +  const icons = { card: Card, sepa: Bank }
        +  return icons[kind] ?? Coin
    """,
    ),
    (
        "a debug line",
        "shop/cart.ts",
        """
           const cart = await api.cart(id)
        +  console.debug('retrying after timeout', cart.id)
           return view(cart)
    """,
    ),
]

JVM = [
    (
        "final fields",
        "cart/Cart.java",
        """
        -    private Store store;
        +    private final Store store;
    """,
    ),
    (
        "a record",
        "cart/Price.java",
        """
        -public class Price {
        -    private final long amount;
        -    public Price(long amount) { this.amount = amount; }
        -    public long amount() { return amount; }
        -}
        +public record Price(long amount) {
        +}
    """,
    ),
    (
        "a stream for a loop",
        "cart/Cart.java",
        """
        -        long total = 0;
        -        for (Line line : lines) {
        -            total += line.price();
        -        }
        -        return total;
        +        return lines.stream().mapToLong(Line::price).sum();
    """,
    ),
    (
        "var",
        "cart/Cart.java",
        """
        -        Map<String, Line> lines = cart.lines();
        +        var lines = cart.lines();
    """,
    ),
    (
        "an Optional",
        "cart/Cart.java",
        """
        -        return coupon == null ? ZERO : coupon.amount();
        +        return Optional.ofNullable(coupon).map(Coupon::amount).orElse(ZERO);
    """,
    ),
    (
        "try with resources",
        "cart/Reader.java",
        """
        -        InputStream in = open();
        -        try {
        -            return parse(in);
        -        } finally {
        -            in.close();
        -        }
        +        try (InputStream in = open()) {
        +            return parse(in);
        +        }
    """,
    ),
    (
        "constructor injection",
        "cart/CartService.java",
        """
        -    @Autowired
        -    private Store store;
        +    private final Store store;
        +
        +    public CartService(Store store) {
        +        this.store = store;
        +    }
    """,
    ),
    (
        "when for if",
        "cart/Kind.kt",
        """
        -    return if (kind == CARD) 1 else if (kind == SEPA) 2 else 0
        +    return when (kind) {
        +        CARD -> 1
        +        SEPA -> 2
        +        else -> 0
        +    }
    """,
    ),
    (
        "a builder's method",
        "cart/QueryBuilder.java",
        """
             public QueryBuilder withFilter(Filter filter) {
        +        this.filters.add(filter);
                 return this;
             }
    """,
    ),
    (
        "a logger of the class",
        "cart/Cart.java",
        """
        -    private static final Logger log = LoggerFactory.getLogger("cart");
        +    private static final Logger log = LoggerFactory.getLogger(Cart.class);
    """,
    ),
]

OTHERS = [
    (
        "a scope",
        "app/models/order.rb",
        """
        +  scope :recent, -> { order(created_at: :desc) }
        +
           belongs_to :user
    """,
    ),
    (
        "symbols for procs",
        "app/models/cart.rb",
        """
        -    lines.map { |line| line.price }.sum
        +    lines.map(&:price).sum
    """,
    ),
    (
        "a safe navigation more",
        "app/models/cart.rb",
        """
        -    user.address.city
        +    user.address&.city
    """,
    ),
    (
        "the question mark",
        "src/cart.rs",
        """
        -    let order = match load(id) {
        -        Ok(order) => order,
        -        Err(error) => return Err(error),
        -    };
        +    let order = load(id)?;
    """,
    ),
    (
        "a borrow",
        "src/cart.rs",
        """
        -fn total(cart: Cart) -> u64 {
        +fn total(cart: &Cart) -> u64 {
             cart.lines.iter().map(|line| line.price).sum()
    """,
    ),
    (
        "an expression body",
        "Cart/Cart.cs",
        """
        -    public decimal Total() {
        -        return lines.Sum(line => line.Price);
        -    }
        +    public decimal Total() => lines.Sum(line => line.Price);
    """,
    ),
    (
        "nameof",
        "Cart/Cart.cs",
        """
        -        throw new ArgumentNullException("order");
        +        throw new ArgumentNullException(nameof(order));
    """,
    ),
    (
        "promoted properties",
        "src/Cart.php",
        """
        -    private Store $store;
        -    public function __construct(Store $store) { $this->store = $store; }
        +    public function __construct(private Store $store) {}
    """,
    ),
    (
        "a clause of a function",
        "lib/cart.ex",
        """
        -  def kind(k) do
        -    if k == :card, do: 1, else: 0
        -  end
        +  def kind(:card), do: 1
        +  def kind(_), do: 0
    """,
    ),
    (
        "an index without a lock",
        "db/migrations/12_index.sql",
        """
        +CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_user_idx ON orders (user_id);
    """,
    ),
    (
        "a label of a manifest",
        "deploy/cart/deployment.yaml",
        """
         metadata:
           labels:
        -    team: shop
        +    team: checkout
    """,
    ),
    (
        "one replica more",
        "deploy/cart/values.yaml",
        """
        -replicas: 4
        +replicas: 5
         image: registry.shop/cart
    """,
    ),
    (
        "a patch of a library",
        "go.mod",
        """
         require (
        -    github.com/jackc/pgx/v5 v5.6.0
        +    github.com/jackc/pgx/v5 v5.6.1
         )
    """,
    ),
    (
        "an output of terraform",
        "infra/outputs.tf",
        """
        +output "cart_queue_url" {
        +  value = aws_sqs_queue.cart.url
        +}
    """,
    ),
]

HARMLESS = [*PYTHON, *GO, *SCRIPT, *JVM, *OTHERS]
