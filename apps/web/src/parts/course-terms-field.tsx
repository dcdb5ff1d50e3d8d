import { useApp, useMessages } from '../state/app.ts';

/** A field for names and terms that the recogniser should know. */
export function CourseTermsField() {
  const { terms } = useApp();
  const m = useMessages();
  const { count, problem } = terms.checked.value;
  return (
    <details class="course-terms">
      <summary>
        {m.terms.title}
        <span class="terms-count">{count === 0 ? '' : ` (${count})`}</span>
      </summary>
      <label class="visually-hidden" for="terms">
        {m.terms.label}
      </label>
      <textarea
        class="field"
        id="terms"
        dir="auto"
        rows={5}
        spellcheck={false}
        aria-describedby="terms-hint terms-problem"
        aria-invalid={problem !== ''}
        value={terms.text.value}
        onInput={({ currentTarget }) => terms.write(currentTarget.value)}
      />
      <p class="terms-hint" id="terms-hint">
        {m.terms.hint}
      </p>
      <p class="field-problem" id="terms-problem" role="alert">
        {problem === '' ? '' : m.terms.problem(problem)}
      </p>
    </details>
  );
}
