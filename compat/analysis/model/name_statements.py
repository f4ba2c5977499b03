"""Name resolution in statements: imports, definitions, assignments, ``global`` and ``nonlocal``."""

from __future__ import annotations

import ast
from typing import Any, Union

from .name_expressions import VISITORS, Expressions
from .scopes import Binding, ImportedName, Part, Scope, Text, absolute


class Statements(Expressions):
    """Collects the names of a whole file."""

    def do_import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            path = alias.name if alias.asname else alias.name.partition(".")[0]
            binding = Binding(scope, alias, path, node)
            self.bind(scope, alias.asname or path, binding)
            self.names.imports.append(ImportedName(scope, node, alias, alias.name, "", binding))

    def do_from(self, node: ast.ImportFrom, scope: Scope) -> None:
        module = absolute(node, self.package, known=self.known)
        for alias in node.names:
            binding = None
            if alias.name != "*":
                path = f"{module}.{alias.name}" if module else (alias.name if module == "" else "")
                binding = Binding(scope, alias, path, node)
                self.bind(scope, alias.asname or alias.name, binding)
            if module:
                self.names.imports.append(ImportedName(scope, node, alias, module, alias.name, binding))

    def do_function(self, node: ast.FunctionDef, scope: Scope) -> None:
        self.opaque(scope, node.name, node)
        for item in node.decorator_list:
            self.child(item, node, scope)
        parameters = self.type_parameters(node, scope)
        inner = self.open("function", node, scope)
        inner.bindings.update({name: [*found] for name, found in parameters.bindings.items() if parameters is not scope})
        self.arguments(node, node.args, scope, inner, parameters)
        self.annotation(node.returns, node, parameters)
        if self.defers:
            self.deferred.append(Part(node, inner, (node.body[0].lineno, node.end_lineno or node.lineno)))
        else:
            self.statements(node, inner)

    def type_parameters(self, node: ast.AST, scope: Scope) -> Scope:
        """The scope of a definition's type parameters, their bounds and defaults; the one around it where it has none."""
        parameters = getattr(node, "type_params", ())
        if not parameters:
            return scope
        made = self.open("parameters", parameters[0], scope)
        for parameter in parameters:
            self.opaque(made, parameter.name, parameter)
        for parameter in parameters:
            for read in (getattr(parameter, "bound", None), getattr(parameter, "default_value", None)):
                self.annotation(read, parameter, made)
        return made

    def do_alias(self, node: Any, scope: Scope) -> None:
        self.assign(node.name, None, None, node, scope)
        self.annotation(node.value, node, self.type_parameters(node, scope))

    def statements(self, node: Union[ast.FunctionDef, ast.AsyncFunctionDef], inner: Scope) -> None:
        self.predeclare(node.body, inner)
        for statement in node.body:
            self.child(statement, node, inner)

    def do_class(self, node: ast.ClassDef, scope: Scope) -> None:
        self.opaque(scope, node.name, node)
        for item in node.decorator_list:
            self.child(item, node, scope)
        parameters = self.type_parameters(node, scope)
        for base in [*node.bases, *node.keywords]:
            self.child(base, node, parameters)
        inner = self.open("class", node, parameters)
        self.predeclare(node.body, inner)
        for statement in node.body:
            self.child(statement, node, inner)

    def predeclare(self, body: list[ast.stmt], scope: Scope) -> None:
        """``global`` and ``nonlocal`` hold for a whole scope, wherever in it they stand."""
        pending: list[ast.AST] = list(body) if self.declares else []
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Global):
                scope.declared_global.update(node.names)
            elif isinstance(node, ast.Nonlocal):
                scope.declared_nonlocal.update(node.names)
            elif isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                pending.extend(ast.iter_child_nodes(node))
            elif isinstance(node, ast.ExceptHandler):
                pending.extend(node.body)

    def do_assign(self, node: ast.Assign, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == "__all__":
                self.exported(node.value, scope)
            self.assign(target, node.value, None, node, scope)
        self.child(node.value, node, scope)

    def do_annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        self.annotation(node.annotation, node, scope)
        self.assign(node.target, node.value, node.annotation, node, scope)
        self.child(node.value, node, scope)

    def do_augmented(self, node: ast.AugAssign, scope: Scope) -> None:
        if isinstance(node.target, ast.Name) and node.target.id == "__all__":
            self.exported(node.value, scope)
        self.children(node, scope)

    def exported(self, value: ast.expr, scope: Scope) -> None:
        for item in ast.walk(value):
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                self.names.texts.append(Text(scope, item, "all"))

    def do_handler(self, node: ast.ExceptHandler, scope: Scope) -> None:
        self.opaque(scope, node.name, node)
        self.children(node, scope)

    def do_capture(self, node: ast.AST, scope: Scope) -> None:
        self.opaque(scope, getattr(node, "name", None) or getattr(node, "rest", None), node)
        self.children(node, scope)

    def do_global(self, node: ast.Global, scope: Scope) -> None:
        (scope.declared_global if isinstance(node, ast.Global) else scope.declared_nonlocal).update(node.names)
        if isinstance(node, ast.Global):
            for name in node.names:
                # Anybody may rebind a name that is declared global: it is never safe to rename.
                self.opaque(scope, name, node)


VISITORS.update(
    {
        ast.Import: Statements.do_import,
        ast.ImportFrom: Statements.do_from,
        ast.FunctionDef: Statements.do_function,
        ast.AsyncFunctionDef: Statements.do_function,
        ast.ClassDef: Statements.do_class,
        ast.Assign: Statements.do_assign,
        ast.AnnAssign: Statements.do_annotated,
        ast.AugAssign: Statements.do_augmented,
        ast.ExceptHandler: Statements.do_handler,
        ast.Global: Statements.do_global,
        ast.Nonlocal: Statements.do_global,
    }
)
if hasattr(ast, "TypeAlias"):
    VISITORS[ast.TypeAlias] = Statements.do_alias
for _name in ("MatchAs", "MatchStar", "MatchMapping"):
    if hasattr(ast, _name):
        VISITORS[getattr(ast, _name)] = Statements.do_capture
