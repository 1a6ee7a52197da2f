//! A directed graph with a stable order and readable cycles.
//!
//! Resources of a template and stacks of an assembly are ordered alike: an edge goes from a node to what it needs, and
//! carries a label that says where the need is written. Everything here depends only on the order of insertion, so that
//! two runs over the same input give the same answer.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

/// A directed graph over named nodes; an edge goes from a node to one that it needs.
#[derive(Clone, Debug)]
pub struct Graph<N, L> {
    nodes: Vec<N>,
    indices: BTreeMap<N, usize>,
    edges: Vec<Vec<(usize, L)>>,
}

/// A way around the graph that comes back to where it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle<'g, N, L> {
    /// Each node with the label of the edge to the next one; the last edge leads to the first node.
    pub steps: Vec<(&'g N, &'g L)>,
}

impl<N: std::fmt::Display, L> std::fmt::Display for Cycle<'_, N, L> {
    /// `A -> B -> A`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (node, _) in &self.steps {
            write!(f, "{node} -> ")?;
        }
        match self.steps.first() {
            Some((first, _)) => write!(f, "{first}"),
            None => Ok(()),
        }
    }
}

impl<N, L> Default for Graph<N, L> {
    fn default() -> Self {
        Self { nodes: Vec::new(), indices: BTreeMap::new(), edges: Vec::new() }
    }
}

impl<N: Ord + Clone, L> Graph<N, L> {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node unless it is there.
    pub fn add_node(&mut self, node: N) {
        self.index_or_insert(node);
    }

    /// Adds the edge "`from` needs `to`", and both nodes unless they are there. Two nodes may have several edges.
    pub fn add_edge(&mut self, from: N, to: N, label: L) {
        let from = self.index_or_insert(from);
        let to = self.index_or_insert(to);
        self.edges[from].push((to, label));
    }

    /// All nodes in the order of insertion.
    pub fn nodes(&self) -> impl Iterator<Item = &N> {
        self.nodes.iter()
    }

    /// Whether the node is in the graph.
    pub fn contains(&self, node: &N) -> bool {
        self.indices.contains_key(node)
    }

    /// What the node needs directly, with the label of each edge, in the order of insertion.
    pub fn needs(&self, node: &N) -> impl Iterator<Item = (&N, &L)> {
        let edges = self.indices.get(node).map_or(&[][..], |index| &self.edges[*index]);
        edges.iter().map(|(to, label)| (&self.nodes[*to], label))
    }

    /// What the nodes need directly or through others, without the nodes themselves unless one needs itself.
    pub fn closure<'a>(&'a self, nodes: impl IntoIterator<Item = &'a N>) -> BTreeSet<&'a N> {
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<usize> =
            nodes.into_iter().filter_map(|node| self.indices.get(node)).copied().collect();
        while let Some(index) = waiting.pop() {
            for (to, _) in &self.edges[index] {
                if seen.insert(*to) {
                    waiting.push(*to);
                }
            }
        }
        seen.into_iter().map(|index| &self.nodes[index]).collect()
    }

    /// The graph with every edge turned round, for the questions "who needs it" and "what to delete first".
    pub fn reversed(&self) -> Self
    where
        L: Clone,
    {
        let mut reversed = Self {
            nodes: self.nodes.clone(),
            indices: self.indices.clone(),
            edges: self.nodes.iter().map(|_| Vec::new()).collect(),
        };
        for (from, edges) in self.edges.iter().enumerate() {
            for (to, label) in edges {
                reversed.edges[*to].push((from, label.clone()));
            }
        }
        reversed
    }

    /// Every node after all that it needs; among nodes that are free at once, the one that was added first.
    ///
    /// # Errors
    /// One cycle for each knot of nodes that need each other, in the order of insertion.
    pub fn order(&self) -> Result<Vec<&N>, Vec<Cycle<'_, N, L>>> {
        let mut missing: Vec<usize> = self.edges.iter().map(Vec::len).collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (from, edges) in self.edges.iter().enumerate() {
            for (to, _) in edges {
                needed_by[*to].push(from);
            }
        }
        let mut free: BinaryHeap<Reverse<usize>> =
            (0..self.nodes.len()).filter(|index| missing[*index] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(Reverse(index)) = free.pop() {
            order.push(&self.nodes[index]);
            for &from in &needed_by[index] {
                missing[from] -= 1;
                if missing[from] == 0 {
                    free.push(Reverse(from));
                }
            }
        }
        if order.len() == self.nodes.len() { Ok(order) } else { Err(self.cycles()) }
    }

    /// One short cycle for each knot of nodes that need each other, in the order of insertion.
    pub fn cycles(&self) -> Vec<Cycle<'_, N, L>> {
        let mut cycles: Vec<(usize, Cycle<'_, N, L>)> =
            self.knots().iter().filter_map(|knot| self.short_cycle(knot)).collect();
        cycles.sort_by_key(|(first, _)| *first);
        cycles.into_iter().map(|(_, cycle)| cycle).collect()
    }

    fn index_or_insert(&mut self, node: N) -> usize {
        if let Some(index) = self.indices.get(&node) {
            return *index;
        }
        let index = self.nodes.len();
        self.indices.insert(node.clone(), index);
        self.nodes.push(node);
        self.edges.push(Vec::new());
        index
    }

    /// The strongly connected components (Tarjan), without recursion so that a long chain cannot overflow the stack.
    fn knots(&self) -> Vec<BTreeSet<usize>> {
        const UNSEEN: usize = usize::MAX;
        let count = self.nodes.len();
        let (mut number, mut low) = (vec![UNSEEN; count], vec![UNSEEN; count]);
        let (mut on_path, mut path) = (vec![false; count], Vec::new());
        let (mut next, mut knots) = (0, Vec::new());
        for start in 0..count {
            if number[start] != UNSEEN {
                continue;
            }
            let mut visits = vec![(start, 0)];
            while let Some((node, edge)) = visits.pop() {
                if edge == 0 {
                    (number[node], low[node]) = (next, next);
                    next += 1;
                    path.push(node);
                    on_path[node] = true;
                }
                if let Some((to, _)) = self.edges[node].get(edge) {
                    visits.push((node, edge + 1));
                    if number[*to] == UNSEEN {
                        visits.push((*to, 0));
                    } else if on_path[*to] {
                        low[node] = low[node].min(number[*to]);
                    }
                    continue;
                }
                if let Some((parent, _)) = visits.last() {
                    low[*parent] = low[*parent].min(low[node]);
                }
                if low[node] == number[node] {
                    let mut knot = BTreeSet::new();
                    while let Some(member) = path.pop() {
                        on_path[member] = false;
                        knot.insert(member);
                        if member == node {
                            break;
                        }
                    }
                    knots.push(knot);
                }
            }
        }
        knots
    }

    /// The shortest cycle through one of the knot's first nodes, with the smallest index in it.
    ///
    /// Trying every node would give the shortest of all, at a quadratic cost for a knot of hundreds: the first 32 are
    /// enough to be readable.
    fn short_cycle(&self, knot: &BTreeSet<usize>) -> Option<(usize, Cycle<'_, N, L>)> {
        let steps =
            knot.iter().take(32).filter_map(|start| self.cycle_through(*start, knot)).min_by_key(Vec::len)?;
        let first = steps.first()?.0;
        let steps = steps.into_iter().map(|(node, label)| (&self.nodes[node], label)).collect();
        Some((first, Cycle { steps }))
    }

    fn cycle_through(&self, start: usize, knot: &BTreeSet<usize>) -> Option<Vec<(usize, &L)>> {
        let mut came_from: BTreeMap<usize, (usize, &L)> = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(node) = waiting.pop_front() {
            for (to, label) in &self.edges[node] {
                if *to == start {
                    let mut steps = vec![(node, label)];
                    let mut at = node;
                    while at != start {
                        let (previous, label) = came_from[&at];
                        steps.push((previous, label));
                        at = previous;
                    }
                    steps.reverse();
                    return Some(steps);
                }
                if knot.contains(to) && !came_from.contains_key(to) {
                    came_from.insert(*to, (node, label));
                    waiting.push_back(*to);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&'static str, &'static str)]) -> Graph<&'static str, String> {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.add_edge(*from, *to, format!("{from}>{to}"));
        }
        graph
    }

    #[test]
    fn orders_by_need_and_then_by_insertion() {
        let mut graph = graph(&[("proxy", "network"), ("mlflow", "network"), ("proxy", "mlflow")]);
        graph.add_node("alone");
        assert_eq!(graph.order().unwrap(), [&"network", &"mlflow", &"proxy", &"alone"]);
    }

    #[test]
    fn several_edges_between_two_nodes_count_once() {
        assert_eq!(graph(&[("a", "b"), ("a", "b")]).order().unwrap(), [&"b", &"a"]);
    }

    #[test]
    fn names_the_shortest_cycle_with_its_labels() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "c"), ("e", "a")]);
        let cycles = graph.order().unwrap_err();
        assert_eq!(cycles.len(), 1);
        assert_eq!(cycles[0].to_string(), "c -> d -> c");
        assert_eq!(cycles[0].steps[0].1, "c>d");
        assert_eq!(cycles[0].steps[1].1, "d>c");
    }

    #[test]
    fn a_node_that_needs_itself_is_a_cycle() {
        assert_eq!(graph(&[("a", "a")]).cycles()[0].to_string(), "a -> a");
    }

    #[test]
    fn each_knot_has_its_own_cycle() {
        let graph = graph(&[("a", "b"), ("b", "a"), ("c", "a"), ("d", "c"), ("c", "d")]);
        let found: Vec<String> = graph.cycles().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["a -> b -> a", "c -> d -> c"]);
    }

    #[test]
    fn a_long_chain_does_not_overflow_the_stack() {
        let mut graph = Graph::new();
        for node in 0..100_000 {
            graph.add_edge(node, node + 1, ());
        }
        assert_eq!(graph.order().unwrap().first(), Some(&&100_000));
        graph.add_edge(100_000, 0, ());
        assert_eq!(graph.knots().len(), 1);
    }

    #[test]
    fn closure_and_reversal() {
        let graph = graph(&[("a", "b"), ("b", "c"), ("d", "c")]);
        assert_eq!(graph.closure([&"a"]).into_iter().copied().collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(
            graph.reversed().closure([&"c"]).into_iter().copied().collect::<Vec<_>>(),
            ["a", "b", "d"]
        );
    }
}
