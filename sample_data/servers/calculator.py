"""A calculator."""

import ast
import operator
from collections.abc import Callable

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_RATES = {"EUR": 1.0, "USD": 1.09, "GBP": 0.85, "CHF": 0.96}


def build(name: str, version: str) -> MCPServer:
    """The server."""
    server = MCPServer(name, version=version)

    @server.tool()
    def evaluate(expression: str) -> str:
        """Evaluate an arithmetic expression with + - * / and parentheses."""
        try:
            return f"{_value(ast.parse(expression, mode='eval').body):.6g}"
        except (SyntaxError, ZeroDivisionError) as error:
            raise ToolError(f"cannot evaluate {expression}") from error

    @server.tool()
    def convert_currency(amount: float, source: str, target: str) -> str:
        """Convert an amount between currencies at today's rate."""
        return f"{amount / _RATES[source] * _RATES[target]:.2f} {target}"

    return server


def _value(node: ast.expr) -> float:
    match node:
        case ast.BinOp(left, kind, right) if type(kind) in _OPERATORS:
            return _OPERATORS[type(kind)](_value(left), _value(right))
        case ast.Constant(int(value) | float(value)):
            return float(value)
        case _:
            raise ToolError("only + - * / and numbers")
