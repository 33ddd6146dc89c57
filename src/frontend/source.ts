/**
 * What the author called a value: reads graph and model files with ts-morph (parse only, no types) and says of a call at
 * a position which variable holds its result, or which function returns it.
 */
import { createRequire } from "node:module";
import type {
  ArrowFunction,
  CallExpression,
  FunctionDeclaration,
  FunctionExpression,
  MethodDeclaration,
  SourceFile,
  Node as SyntaxNode,
} from "ts-morph";

// An import would look for ESM exports in the whole TypeScript compiler, which takes a third longer.
const { Node, Project } = createRequire(import.meta.url)("ts-morph") as typeof import("ts-morph");

/** What stands around one call. */
export interface Site {
  /** The variable or property that the call's value goes into. */
  readonly variable?: string;
  /** The function that returns the value; "" for one without a name. */
  readonly returnedBy?: string;
  /** True where the call is an operand inside a larger expression rather than the whole of it. */
  readonly nested: boolean;
}
const nowhere: Site = { nested: false };

/** Answers `at` for any file; each is parsed once. */
export class Sources {
  private readonly project = new Project({ skipLoadingLibFiles: true, skipAddingFilesFromTsConfig: true });

  /** What stands around the call at a position. Line and column count from 1, as in a stack trace. */
  at(path: string, line: number, column: number): Site {
    const file = this.project.getSourceFile(path) ?? this.project.addSourceFileAtPathIfExists(path);
    const start = file?.compilerNode.getLineStarts()[line - 1];
    if (!file || start === undefined) return nowhere;
    const call = callAt(file, start + column - 1);
    return call ? around(call) : nowhere;
  }
}

/** V8 reports a call at the start of its callee, a method call at the start of the method's name. */
function callAt(file: SourceFile, position: number): CallExpression | undefined {
  let node: SyntaxNode | undefined = file.getDescendantAtPos(position);
  while (node) {
    if (Node.isCallExpression(node) && position < node.getExpression().getEnd()) return node;
    node = node.getParent();
  }
  return undefined;
}

function around(call: CallExpression): Site {
  let nested = false;
  let place: number | undefined;
  let node: SyntaxNode = call;
  for (let parent = node.getParent(); parent; node = parent, parent = parent.getParent()) {
    if (Node.isVariableDeclaration(parent)) return { ...holder(parent.getNameNode(), place), nested };
    if (Node.isBinaryExpression(parent) && parent.getOperatorToken().getText() === "=")
      return { ...holder(parent.getLeft(), place), nested };
    if (Node.isPropertyAssignment(parent)) return { ...(place === undefined && called(parent.getName())), nested };
    if (Node.isReturnStatement(parent))
      return { returnedBy: nameOfFunction(parent.getFirstAncestor(isFunction)), nested };
    if (Node.isArrowFunction(parent)) return { returnedBy: nameOfFunction(parent), nested };
    if (Node.isStatement(parent)) return nowhere;
    if (Node.isArrayLiteralExpression(parent) && Node.isExpression(node)) place = parent.getElements().indexOf(node);
    nested ||= Node.isCallExpression(parent);
  }
  return nowhere;
}

/** The variable's name; a second site of the same variable in one function is `x.2`. `const [q, k] = [f(), g()]` goes by place. */
function holder(target: SyntaxNode, place: number | undefined): Pick<Site, "variable"> {
  if (Node.isIdentifier(target)) return { variable: numbered(target) };
  const element = Node.isArrayBindingPattern(target) && place !== undefined ? target.getElements()[place] : undefined;
  return Node.isBindingElement(element) ? called(element.getName()) : {};
}

/** Only what can be a name in a graph's text: not `"a b"`, `[key]` or a pattern within a pattern. */
const called = (text: string): Pick<Site, "variable"> =>
  /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(text) ? { variable: text } : {};

function numbered(name: SyntaxNode): string {
  const text = name.getText();
  const body = name.getFirstAncestor(isFunction) ?? name.getSourceFile();
  const sites = body.getDescendants().filter((d) => Node.isIdentifier(d) && d.getText() === text && isWritten(d));
  const place = sites.indexOf(name) + 1;
  return place > 1 ? `${text}.${place}` : text;
}

/** True for the name in `const x = ...` and in `x = ...`; a plain declaration `let x` writes nothing. */
function isWritten(name: SyntaxNode): boolean {
  const parent = name.getParent();
  if (Node.isVariableDeclaration(parent)) return parent.getNameNode() === name && parent.getInitializer() !== undefined;
  return Node.isBinaryExpression(parent) && parent.getLeft() === name && parent.getOperatorToken().getText() === "=";
}

type FunctionNode = ArrowFunction | FunctionDeclaration | FunctionExpression | MethodDeclaration;
const isFunction = (n: SyntaxNode | undefined): n is FunctionNode =>
  Node.isArrowFunction(n) ||
  Node.isFunctionDeclaration(n) ||
  Node.isFunctionExpression(n) ||
  Node.isMethodDeclaration(n);

/** Its own name, or that of the variable or property that it is the value of. */
function nameOfFunction(f: FunctionNode | undefined): string {
  if (!f) return "";
  const own = Node.isArrowFunction(f) ? undefined : f.getName();
  const parent = f.getParent();
  const holder = Node.isVariableDeclaration(parent) || Node.isPropertyAssignment(parent) ? parent.getName() : "";
  return called(own ?? holder).variable ?? "";
}
