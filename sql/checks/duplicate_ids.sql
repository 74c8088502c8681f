-- Primary keys are unique in every input.
SELECT datensatz, zeile, spalten AS spalte, schluessel AS wert,
    'der Schlüssel kommt ' || anzahl || '-mal vor.' AS meldung, 'Bitte jeden Eintrag nur einmal führen.' AS abhilfe
FROM (SELECT *, count(*) OVER (PARTITION BY datensatz, schluessel) AS anzahl FROM meta.primary_keys) WHERE anzahl > 1
